// What the server is told of this browser with each request: cookies that it reads as it draws a page.

const YEAR_S = 365 * 24 * 60 * 60

/** @param {string} name */
export function cookie(name) {
  const own = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))
  return own?.slice(name.length + 1) ?? ""
}

/**
 * @param {string} name
 * @param {string} value nothing, to forget
 */
export function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : ""
  document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? YEAR_S : 0}; SameSite=Lax${secure}`
}
