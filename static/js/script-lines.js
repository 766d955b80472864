// How a script talks here: lines for a shell. Decides only.

/** Where curl keeps who it is, so that nobody has to handle a token. */
const JAR = "robot.cookies"

/**
 * @param {string} origin the server's
 * @param {{kind: string, name: string, userName: string}} here the channel, and who looks at it
 */
export function scriptLines(origin, { kind, name, userName }) {
  // In a direct conversation a script is a third: what it writes to the reader is one of its own.
  const path = `/api/channels/${encoded(kind === "direct" ? `@${userName}` : name)}`
  return {
    "sign-in": `curl -so /dev/null -b ${JAR} -c ${JAR} '${origin}/api/session' \\\n  -H 'Content-Type: application/json' -d '{"display_name": "Robot"}'`,
    send: `curl -b ${JAR} '${origin}${path}/messages' \\\n  -d 'Hello from a script'`,
    listen: `curl -Nb ${JAR} '${origin}${path}/events'`,
  }
}

/** @param {string} name for a URL between single quotes */
const encoded = (name) => encodeURIComponent(name).replace(/'/g, "%27").replace("%40", "@")
