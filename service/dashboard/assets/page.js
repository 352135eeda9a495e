// Makes the pages lively; everything works without.
import { askBeforeSending } from "./ask.js";
import { offerCopies } from "./copy.js";
import { enlivenList } from "./list.js";
import { keepUpToDate } from "./live.js";
import { followLogs } from "./log.js";

// On a phone the doors are wider than the page.
document.querySelector(".doors [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
askBeforeSending();
keepUpToDate();
enlivenList();
followLogs();
offerCopies();
