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
    "sign-in": lines(`curl -so /dev/null -b ${JAR} -c ${JAR}`, `'${origin}/api/session'`, "-H 'Content-Type: application/json'", `-d '{"display_name": "Robot"}'`),
    send: lines(`curl -b ${JAR} -d 'Hello from a script'`, `'${origin}${path}/messages'`),
    listen: lines(`curl -Nb ${JAR}`, `'${origin}${path}/events'`),
  }
}

/** @param {string} name for a URL between single quotes */
const encoded = (name) => encodeURIComponent(name).replace(/'/g, "%27").replace("%40", "@")

/** One command, in lines that fit. @param {string[]} parts */
const lines = (...parts) => parts.join(" \\\n  ")
