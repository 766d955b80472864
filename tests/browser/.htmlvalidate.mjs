// What html-validate recommends. What it says otherwise than the templates is turned off below,
// each with its reason.

export default {
  root: true,
  extends: ["html-validate:recommended"],
  elements: [
    "html5",
    // The images of closed dialogs: a script says what they show before it opens them.
    { img: { attributes: { src: { required: false } } } },
    // The columns of a table in a message, as GFM's specification writes them: it may have no style.
    { th: { attributes: { align: { deprecated: false } } }, td: { attributes: { align: { deprecated: false } } } },
  ],
  rules: {
    "doctype-style": ["error", { style: "lowercase" }],
    // Lists may be named, and ours are.
    "aria-label-misuse": ["error", { allowAnyNamable: true }],
    // A <select> cannot be filtered by what one types into a field beside it.
    "prefer-native-element": ["error", { exclude: ["listbox"] }],
    // `disabled=""` is how GFM's specification, and whatever serializes HTML, writes it.
    "attribute-boolean-style": "off",
    // What stands between the tags of a template engine.
    "no-trailing-whitespace": "off",
  },
}
