// Begins once the page is on the screen: what the server drew can be read before any script is
// here, and on a slow network nothing stands in its way.

const begin = () => {
  const modules = /** @type {HTMLTemplateElement} */ (document.querySelector("template#modules"))
  document.head.append(modules.content)
  import(`./${modules.dataset.entry}.js`).catch(() => {
    // Left before it was here, or never reached: the page works by its forms.
  })
}

// A tab that is not looked at draws nothing to wait for.
if (document.hidden) begin()
else requestAnimationFrame(() => setTimeout(begin))
