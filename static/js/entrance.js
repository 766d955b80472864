// The behaviours of all other pages: the way in, and those that say what went wrong.

import { mountFlash } from "./shell/flash.js"
import { mountLost } from "./shell/lost.js"
import { mountAll } from "./lib/mounting.js"
import { mountScene } from "./shell/scene.js"
import { mountSignIn } from "./shell/sign-in.js"

const mounts = { flash: mountFlash, lost: mountLost, scene: mountScene, "sign-in": mountSignIn }
mountAll(mounts, document, new AbortController().signal)
