// Makes the pages lively; everything works without.
import { askBeforeSending } from "./ask.js";
import { keepUpToDate } from "./live.js";
import { followLog } from "./log.js";
import { openMenus } from "./menu.js";

askBeforeSending();
keepUpToDate();
openMenus();
followLog(document.querySelector("#log"));
