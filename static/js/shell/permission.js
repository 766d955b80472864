// Whether this browser shows notifications, and whether they are wanted on this device.

import { say } from "../lib/bus.js"
import { recall, remember } from "../lib/memory.js"

/** @typedef {"missing" | "ask" | "refused" | "off" | "on"} Permission */

/** @param {string} me @returns {Permission} */
export function permissionOf(me) {
  // Missing also on a plain HTTP address, and where only a service worker could show them.
  if (!("Notification" in window)) return "missing"
  if (Notification.permission === "denied") return "refused"
  if (Notification.permission === "default") return "ask"
  return recall(`notify.${me}`) === "on" ? "on" : "off"
}

/** Only after a click that says what it is for: a browser asks once. @param {string} me */
export async function allow(me) {
  if (permissionOf(me) === "ask") await Notification.requestPermission()
  if (Notification.permission === "granted") remember(`notify.${me}`, "on")
  say("permission")
}

/** @param {string} me */
export function silence(me) {
  remember(`notify.${me}`, null)
  say("permission")
}
