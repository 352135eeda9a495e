// Makes the pages lively; everything works without.
import { askBeforeSending } from "./ask.js";
import { keepUpToDate } from "./live.js";
import { followLog } from "./log.js";

askBeforeSending(keepUpToDate());
followLog(document.querySelector("#log"));
