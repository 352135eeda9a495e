// Makes the pages lively; everything works without.
import { askBeforeSending } from "./ask.js";
import { keepUpToDate } from "./live.js";
import { followLog } from "./log.js";

const refresh = keepUpToDate();
askBeforeSending(refresh);
followLog(document.querySelector("#log"));
