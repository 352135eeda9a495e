// Makes the pages lively; everything works without.
import { askBeforeSending } from "./ask.js";
import { offerCopies } from "./copy.js";
import { enlivenList } from "./list.js";
import { keepUpToDate } from "./live.js";
import { followLogs } from "./log.js";

askBeforeSending();
keepUpToDate();
enlivenList();
followLogs();
offerCopies();
