// The stylesheets as they are written here. What the standard says otherwise is turned off below,
// each with its reason.

/** A thing, its part, its variant: `file`, `file__name`, `file--card`. */
const WORDS = "[a-z]+(-[a-z]+)*"
const NAME = `^${WORDS}(__${WORDS})?(--${WORDS})?$`

/** Where a script runs the other way, or down, these would be wrong. */
const PHYSICAL = [
  "/^(margin|padding|border|inset|scroll-margin|scroll-padding)-(top|right|bottom|left)/",
  "/^(min-|max-)?(width|height)$/", "top", "right", "bottom", "left", "float", "clear",
]

export default {
  extends: "stylelint-config-standard",
  rules: {
    "selector-class-pattern": [NAME, { message: "a class is a thing, its part or its variant" }],
    "selector-max-id": 0,
    "declaration-no-important": true,
    "property-disallowed-list": [PHYSICAL, { message: "logical properties only" }],
    "color-no-hex": true,
    "color-named": "never",

    // Colours are written like the triples of tokens.css: `oklch(24% 0.03 258 / 0.4)`.
    "alpha-value-notation": "number",
    "hue-degree-notation": "number",
    "keyframe-selector-notation": "percentage-unless-within-keyword-only-block",
    // Names of fonts are names.
    "value-keyword-case": ["lower", { ignoreProperties: [/^--font/] }],
    // A rule of one thought stands on one line, and empty lines part thoughts, not kinds of lines.
    "declaration-block-single-line-max-declarations": null,
    "at-rule-empty-line-before": null,
    "custom-property-empty-line-before": null,
    "declaration-empty-line-before": null,
    "rule-empty-line-before": null,
    // A thing's states are nested in the thing, so they stand before its parts.
    "no-descending-specificity": null,
  },
}
