// Mounts each behaviour on the elements that ask for it: `data-mount="name"`.

/** @param {Record<string, (element: any) => void>} mounts in the order in which they listen */
export function mountAll(mounts) {
  for (const [name, mount] of Object.entries(mounts)) {
    for (const element of document.querySelectorAll(`[data-mount~="${name}"]`)) mount(element)
  }
}
