// The behaviours of all other pages: the way in, and those that say what went wrong.

import { mountFlash } from "./flash.js"
import { mountLost } from "./lost.js"
import { mountAll } from "./mounting.js"
import { mountScene } from "./scene.js"
import { mountSignIn } from "./sign-in.js"

mountAll({ flash: mountFlash, lost: mountLost, scene: mountScene, "sign-in": mountSignIn })
