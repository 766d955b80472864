// Sending files. `fetch` does not say how far it is, so this is an `XMLHttpRequest`.

import { answerOf, UNREACHABLE } from "./api.js"

/** Nothing went out and nothing came in for so long: nothing will. */
const UPLOAD_SILENCE_MS = 30_000

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
      silence = setTimeout(stop, UPLOAD_SILENCE_MS)
    }
    const end = () => {
      clearTimeout(silence)
      signal.removeEventListener("abort", stop)
      const { status, response } = request
      done(answerOf(status, status ? response : { detail: UNREACHABLE }, request.getResponseHeader("Retry-After")))
    }
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      heard()
      onProgress(loaded / total)
    })
    // Also after an error, or when it was stopped: then it has no status.
    request.addEventListener("loadend", end)
    signal.addEventListener("abort", stop)
    heard()
    request.send(form)
  })
}
