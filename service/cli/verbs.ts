import { actVerbs } from "./act-verbs.ts";
import { cleanVerbs } from "./clean-verbs.ts";
import { lookVerbs } from "./look-verbs.ts";
import { moneyVerbs } from "./money-verbs.ts";
import { operateVerbs } from "./operate-verbs.ts";
import { serveVerbs } from "./serve-verbs.ts";
import type { Verb } from "./verb.ts";

/** Verbs by what people do with them. */
export interface VerbGroup {
  readonly title: string;
  readonly verbs: readonly Verb[];
}

/** In the order of `--help` and of the manual; adding a verb is a file and an entry in the room that it belongs to. */
export const verbGroups: readonly VerbGroup[] = [
  { title: "Run", verbs: serveVerbs },
  { title: "Look", verbs: lookVerbs },
  { title: "Act on a preview", verbs: actVerbs },
  { title: "Mind the cost", verbs: moneyVerbs },
  { title: "Keep clean", verbs: cleanVerbs },
  { title: "Operate", verbs: operateVerbs },
];

export const verbs: readonly Verb[] = verbGroups.flatMap((group) => group.verbs);
