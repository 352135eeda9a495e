import { actVerbs } from "./act-verbs.ts";
import { cleanVerbs } from "./clean-verbs.ts";
import { lookVerbs } from "./look-verbs.ts";
import { operateVerbs } from "./operate-verbs.ts";
import { serveVerbs } from "./serve-verbs.ts";
import type { Verb } from "./verb.ts";

/** Every verb, in the order of `--help`; adding one is a file and an entry in the room that it belongs to. */
export const verbs: readonly Verb[] = [...serveVerbs, ...lookVerbs, ...actVerbs, ...cleanVerbs, ...operateVerbs];
