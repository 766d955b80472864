// Sending files. `fetch` does not say how far it is, so this is an `XMLHttpRequest`.

import { UNREACHABLE } from "./api.js"

/** Nothing went out and nothing came in for so long: nothing will. */
const SILENCE_MS = 30_000

/**
 * @param {string} path below `/api`
 * @param {{text: string, files: File[]}} message
 * @param {AbortSignal} signal
 * @param {(sent: number) => void} onProgress told from 0 to 1
 * @returns {Promise<import("./api.js").Answer>}
 */
export function upload(path, { text, files }, signal, onProgress) {
  const form = new FormData()
  form.append("text", text)
  for (const file of files) form.append("file", file, file.name)
  const request = new XMLHttpRequest()
  request.open("PUT", `/api${path}`)
  request.responseType = "json"
  return new Promise((done) => {
    let silence = 0
    const stop = () => request.abort()
    const heard = () => {
      clearTimeout(silence)
      silence = setTimeout(stop, SILENCE_MS)
    }
    /** @param {Partial<import("./api.js").Answer>} answer */
    const end = (answer) => {
      clearTimeout(silence)
      signal.removeEventListener("abort", stop)
      done({ ok: false, status: 0, body: null, why: UNREACHABLE, retryAfterMs: 0, ...answer })
    }
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      heard()
      onProgress(loaded / total)
    })
    request.addEventListener("load", () => {
      const { status, response: body } = request
      const ok = status >= 200 && status < 300
      const why = ok ? "" : (body?.detail ?? `The server answered ${status}.`)
      const retryAfterMs = (Number(request.getResponseHeader("Retry-After")) || 0) * 1000
      end({ ok, status, body, why, retryAfterMs })
    })
    for (const failure of ["error", "abort"]) request.addEventListener(failure, () => end({}))
    signal.addEventListener("abort", stop)
    heard()
    request.send(form)
  })
}
