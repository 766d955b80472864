// The HTML of a message's text, made ready for this reader. Decides only. The server does the same, to
// the byte (src/pages/prose.rs).

/**
 * The tags that are changed. A text's HTML is written in one way only: attributes in quotation marks,
 * and no `<` outside of tags and attributes.
 */
const TAGS = /<(\/?)(a|input|pre|table)((?: [a-z-]+="[^"]*")*)>/g

const NAMES_READER = ' data-me=""'

/**
 * Makes a text's HTML ready: links that leave this host open beside it, links that name the reader say
 * so, tables and code can be scrolled by keys, code has a button that copies it, and the boxes of
 * tasks have names.
 *
 * @param {string} html
 * @param {{me: string, host: string, copy: string}} reader their id, the page's host, the button
 */
export function readable(html, { me, host, copy }) {
  return html.replace(TAGS, (tag, end, name, attributes) => {
    if (end) return name === "pre" ? `</pre>${copy}</div>` : tag
    if (name === "a") {
      const names = attributes.includes(` data-user="${me}"`) ? NAMES_READER : ""
      return `<a${attributes}${names}${leaves(attributes, host) ? ' target="_blank"' : ""}>`
    }
    if (name === "input") return `<input${attributes} aria-label="${attributes.includes(' checked=""') ? "Done" : "To do"}">`
    return `${name === "pre" ? '<div class="code">' : ""}<${name}${attributes} tabindex="0">`
  })
}

/**
 * Whether HTML that is ready for a reader names them.
 *
 * @param {string} html
 */
export function namesReader(html) {
  return [...html.matchAll(TAGS)].some(([, , name, attributes]) => name === "a" && attributes.includes(NAMES_READER))
}

/**
 * Whether a link leads to a web page of another host.
 *
 * @param {string} attributes
 * @param {string} here
 */
function leaves(attributes, here) {
  const href = / href="([^"]*)"/.exec(attributes)?.[1] ?? ""
  if (!URL.canParse(href)) return false
  const { protocol, host } = new URL(href)
  return (protocol === "http:" || protocol === "https:") && host !== here
}
