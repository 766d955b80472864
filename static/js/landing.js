// Not a module: it must run before anything is painted. A returning visitor lands where they were.
try {
  const remembered = localStorage.getItem("houston.channel")
  if (remembered && remembered !== "general") location.replace(`/channels/${encodeURIComponent(remembered)}`)
} catch {
  // Without storage there is nothing to remember.
}
