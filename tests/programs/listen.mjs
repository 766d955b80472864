// Prints the texts of a channel's messages as they come, by npm's eventsource: listen.mjs URL TOKEN

import { EventSource } from "eventsource"

const [url, token] = process.argv.slice(2)
const source = new EventSource(url, {
  fetch: (address, options) =>
    fetch(address, { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } }),
})
source.addEventListener("message", (event) => console.log(JSON.parse(event.data).text))
