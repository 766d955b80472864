// Whether this browser shows notifications, and whether they are wanted on this device.

import { say } from "../lib/bus.js"
import { recall, remember } from "../lib/memory.js"

/** @typedef {"missing" | "ask" | "refused" | "off" | "on"} Permission */

/** What is said of each state, and what the button then does. */
const STATES = {
  missing: { told: "This browser cannot show notifications here. They need HTTPS.", button: "" },
  refused: { told: "The browser refuses notifications for this site. Allow them in its settings for this site.", button: "" },
  ask: { told: "Be told of new messages while you are elsewhere. The browser will ask first.", button: "Notify me" },
  off: { told: "Be told of new messages while you are elsewhere.", button: "Notify me" },
  on: { told: "Notifications are on, on this device.", button: "Turn off" },
}

/** @param {string} me @returns {Permission} */
export function permissionOf(me) {
  // Missing also on a plain HTTP address, and where only a service worker could show them.
  if (!("Notification" in window)) return "missing"
  if (Notification.permission === "denied") return "refused"
  if (Notification.permission === "default") return "ask"
  return recall(`notify.${me}`) === "on" ? "on" : "off"
}

/**
 * Says whether notifications are shown, and on the button what would change that.
 *
 * @param {HTMLElement} told
 * @param {HTMLElement} button
 * @param {string} me
 */
export function drawPermission(told, button, me) {
  const state = STATES[permissionOf(me)]
  told.textContent = state.told
  button.textContent = state.button
  button.hidden = state.button === ""
}

/** Turns notifications on or off, on this device. @param {string} me */
export function changePermission(me) {
  return permissionOf(me) === "on" ? silence(me) : allow(me)
}

/** Only after a click that says what it is for: a browser asks once. @param {string} me */
async function allow(me) {
  if (permissionOf(me) === "ask") await Notification.requestPermission()
  if (Notification.permission === "granted") remember(`notify.${me}`, "on")
  say("permission")
}

/** @param {string} me */
function silence(me) {
  remember(`notify.${me}`, null)
  say("permission")
}
