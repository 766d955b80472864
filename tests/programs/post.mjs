// Posts to a hook of Houston by Slack's client for Node.js: post.mjs URL

import { IncomingWebhook } from "@slack/webhook"

const hook = new IncomingWebhook(process.argv[2], { username: "Node", icon_emoji: ":rocket:" })
const answer = await hook.send({ text: "From *@slack/webhook*", attachments: [{ color: "good", text: "deployed" }] })
if (answer.text !== "ok") throw new Error(JSON.stringify(answer))
