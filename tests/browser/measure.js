// What the page costs: `node measure.js` beside this file. It takes minutes, and says medians.
//
// - the start of a channel on a phone's network, until the message box can be used;
// - memory and listeners after many switches and messages;
// - Lighthouse's scores, where LIGHTHOUSE names a folder with `node_modules/lighthouse`: as a phone, or
//   with DESKTOP=1 as a larger computer.
//
// HOUSTON_BINARY names the server, best a release build.

import { createRequire } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import puppeteer from "puppeteer-core"
import { CHROMIUM, FLAGS, House, until } from "./house.js"

/** A phone's network: round trips of 150 ms, 1.6 Mbit/s. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 90_000 }
const STARTS = 9
const SWITCHES = 500
const MESSAGES = 5_000
const AUDITS = 5

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** A server with some channels, and somebody who has been to all. */
async function furnished() {
  const house = await House.start()
  const [ada, reader] = [await house.script("Ada Lovelace"), await house.script("Reader")]
  const names = Array.from({ length: 10 }, (_, n) => `channel-${n}`)
  for (const name of names) {
    await ada.ask("POST", "/api/channels", { name, topic: "What is said here" })
    await reader.ask("POST", `/api/channels/${name}/messages`, { text: "here" })
    for (let n = 0; n < 40; n += 1) await ada.ask("POST", `/api/channels/${name}/messages`, { text: `Line ${n} with **markup**, \`code\` and some more words to read.` })
  }
  return { house, ada, reader, names }
}

async function open({ house, reader }) {
  const profile = await house.profile()
  await profile.addCookies([{ name: "session", value: reader.token, url: house.url, httpOnly: true, sameSite: "Lax" }])
  const page = await profile.newPage()
  return { page, protocol: await profile.newCDPSession(page) }
}

/** Milliseconds until the message box can be used, in a browser that has seen nothing before. */
async function start(world) {
  const { page, protocol } = await open(world)
  await protocol.send("Network.enable")
  await protocol.send("Network.emulateNetworkConditions", SLOW)
  let requests = 0
  page.on("request", () => (requests += 1))
  await page.addInitScript(() => {
    const look = () => {
      if (document.querySelector("form.composer[novalidate]")) window.usable ??= performance.now()
      else requestAnimationFrame(look)
    }
    look()
  })
  await page.goto(`/channels/${world.names[0]}`)
  await until("it can be used", () => page.evaluate(() => window.usable))
  const ms = await page.evaluate(() => ({ usable: window.usable, painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime }))
  await page.context().close()
  return { ...ms, requests }
}

async function held(protocol) {
  await protocol.send("Performance.enable")
  for (let times = 0; times < 3; times += 1) await protocol.send("HeapProfiler.collectGarbage")
  const { metrics } = await protocol.send("Performance.getMetrics")
  const of = (name) => metrics.find((each) => each.name === name).value
  return { bytes: of("JSHeapUsedSize"), listeners: of("JSEventListeners"), nodes: of("Nodes") }
}

async function memory(world) {
  const { page, protocol } = await open(world)
  const { ada, names } = world
  const to = async (name) => {
    await page.locator(`.channel-link[data-name="${name}"]`).click()
    await page.locator(`.view:not([data-pending])[data-name="${name}"]:not([hidden])`).waitFor()
  }
  await page.goto(`/channels/${names[0]}`)
  await page.locator("form.composer[novalidate]").waitFor()
  const round = async (times) => {
    for (let n = 0; n < times; n += 1) await to(names[(n + 1) % names.length])
    await to(names[0])
  }
  // All channels were seen, and each is full.
  for (const name of names) for (let n = 0; n < 70; n += 1) await ada.ask("POST", `/api/channels/${name}/messages`, { text: `Before ${n}, some more words to read.` })
  await round(names.length * 2)
  const before = await held(protocol)
  const share = 10
  for (let part = 0; part < share; part += 1) {
    await round(SWITCHES / share)
    for (let n = 0; n < MESSAGES / share; n += 1) await ada.ask("POST", `/api/channels/${names[n % 3]}/messages`, { text: `Message ${n} of ${part}, some more words to read.` })
  }
  await until("all has come", async () => (await page.locator(".message__text").last().innerText()).startsWith("Message 498"))
  await round(names.length * 2)
  const after = await held(protocol)
  await page.context().close()
  return { before, after }
}

/** The scores of a page, each the median of some audits. */
async function audited(folder, house, path, token) {
  const require = createRequire(join(folder, "node_modules", "lighthouse", "package.json"))
  const { default: lighthouse, desktopConfig } = await import(pathToFileURL(require.resolve("lighthouse")))
  const config = process.env.DESKTOP ? desktopConfig : undefined
  const runs = []
  for (let n = 0; n < AUDITS; n += 1) {
    const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: FLAGS })
    try {
      const page = await browser.newPage()
      if (token) await browser.setCookie({ name: "session", value: token, domain: "127.0.0.1", path: "/", httpOnly: true, sameSite: "Lax" })
      const { lhr } = await lighthouse(house.url + path, { output: "json", logLevel: "silent", disableStorageReset: true }, config, page)
      runs.push(lhr)
    } finally {
      await browser.close()
    }
  }
  const scores = Object.fromEntries(Object.keys(runs[0].categories).map((name) => [name, median(runs.map(({ categories }) => Math.round(categories[name].score * 100)))]))
  const missed = Object.values(runs.at(-1).audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 1 && scoreDisplayMode !== "informative").map(({ id, displayValue }) => `${id} ${displayValue ?? ""}`.trim())
  return { scores, missed }
}

const only = process.argv.slice(2)
const wanted = (part) => only.length === 0 || only.includes(part)
const world = await furnished()
try {
  if (wanted("start")) {
    const starts = []
    for (let n = 0; n < STARTS; n += 1) starts.push(await start(world))
    const of = (part) => Math.round(median(starts.map((each) => each[part])))
    console.log(`cold start, ${STARTS} runs: painted ${of("painted")} ms, usable ${of("usable")} ms, ${of("requests")} requests`)
  }
  if (wanted("memory")) {
    const { before, after } = await memory(world)
    const mib = ({ bytes }) => (bytes / 1024 / 1024).toFixed(2)
    console.log(`memory, ${SWITCHES} switches and ${MESSAGES} messages: ${mib(before)} MiB to ${mib(after)} MiB; listeners ${before.listeners} to ${after.listeners}; nodes ${before.nodes} to ${after.nodes}`)
  }
  if (wanted("lighthouse") && process.env.LIGHTHOUSE) {
    for (const [what, path, token] of [["sign-in", "/", ""], ["channel", `/channels/${world.names[0]}`, world.reader.token]]) {
      const { scores, missed } = await audited(process.env.LIGHTHOUSE, world.house, path, token)
      console.log(`${what}, ${AUDITS} runs: ${JSON.stringify(scores)}; missed: ${missed.join(", ") || "nothing"}`)
    }
  }
} finally {
  await world.house.close()
}
