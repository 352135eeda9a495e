/** What of that which was seen is as it should not be. Pure. */
import { formatKey, hostName, parseKey, stackName } from "../../infra/names.ts";
import type { Pulls } from "./forge-list.ts";
import type { Answer, Asked } from "./hosts.ts";
import type { Place } from "./place.ts";
import type { Lost, Orphan, Stuck } from "./report.ts";
import type { Kept } from "./state.ts";
import type { Thing } from "./thing.ts";

/** The world at one moment, or as near to one as reading takes. */
export interface Seen {
  readonly things: readonly Thing[];
  /** State by stack. */
  readonly stacks: ReadonlyMap<string, Kept>;
  /** Stacks of which everything was sent to sleep. */
  readonly asleep: ReadonlySet<string>;
  /** Where routes lead, by stack: hosts without port. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  /** By host without port; one that was not asked is absent. */
  readonly answers: ReadonlyMap<string, Asked>;
}

export interface Findings {
  readonly orphans: readonly Omit<Orphan, "forMs">[];
  readonly lost: readonly Omit<Lost, "forMs">[];
  readonly stuck: readonly Omit<Stuck, "forMs">[];
}

/** A preview that is meant to be there. */
interface Meant {
  readonly key: string;
  readonly stack: string;
  readonly host: string;
  /** Undefined for one by hand, whose git branch may be anywhere. */
  readonly headSha?: string;
}

/** A preview whose pull request is over. */
type Over = Omit<Meant, "headSha">;

export interface Wishes {
  readonly meant: readonly Meant[];
  readonly over: readonly Over[];
  /** Git branches that are pull requests of which nobody has heard. */
  readonly unseen: readonly { readonly key: string; readonly headSha: string }[];
}

/** What should be there, by what forges and people say. */
export function wishesOf({ domain, without, byHand }: Place, forges: ReadonlyMap<string, Pulls>): Wishes {
  const all = [...forges.entries()].flatMap(([repository, { open, closed, unseen }]) => {
    const hostOf = (number: number) => hostName({ repository, number }, domain);
    return {
      open: open.map(({ key, stack, number, headSha }) => ({ key, stack, headSha, host: hostOf(number) })),
      over: closed.map(({ key, stack, number }) => ({ key, stack, host: hostOf(number) })),
      unseen: unseen.map(({ branch, headSha }) => ({ key: formatKey({ repository, gitBranch: branch }), headSha })),
    };
  });
  const hand = byHand.map((key): Meant => {
    const parsed = parseKey(key);
    if (!parsed) throw new Error(`"byHand" names "${key}", which is no key such as "shop@branch"`);
    return { key, stack: stackName(parsed), host: hostName(parsed, domain) };
  });
  const isMeant = ({ key }: { key: string }) => !without.includes(key);
  return {
    meant: [...all.flatMap(({ open }) => open).filter(isMeant), ...hand],
    over: all.flatMap(({ over }) => over),
    unseen: all.flatMap(({ unseen }) => unseen).filter(isMeant),
  };
}

export function judge({ serves }: Pick<Place, "serves">, { meant, over, unseen }: Wishes, seen: Seen): Findings {
  const served = meant.map((preview) => judgeServed(preview, seen, serves[preview.key]));
  const orphans = seen.things.flatMap((thing) => {
    const why = whyOrphan(thing, { meant, over, unseen }, seen);
    const { kind, id, stack } = thing;
    return why === undefined ? [] : [{ kind, id, ...(stack === undefined ? {} : { stack }), why }];
  });
  return {
    orphans,
    lost: [
      ...served.flatMap(({ lost }) => lost ?? []),
      ...unseen.map(({ key, headSha }) => ({ key, wanted: headSha, found: "its git branch has no number" })),
    ],
    stuck: [
      ...served.flatMap(({ stuck }) => stuck ?? []),
      ...meant.flatMap((preview) => judgeOtherHosts(preview, seen)),
      ...over.flatMap((preview) => judgeOver(preview, seen)),
    ],
  };
}

function whyOrphan({ kind, stack, part, dead }: Thing, { meant, over }: Wishes, seen: Seen): string | undefined {
  if (dead !== undefined) return dead;
  if (stack === undefined) return undefined;
  if (!meant.some((preview) => preview.stack === stack)) {
    const closed = over.find((preview) => preview.stack === stack);
    return closed ? `${closed.key} is closed` : "there is no open pull request of it";
  }
  const kept = seen.stacks.get(stack);
  if (part !== undefined && kept && !kept.parts.has(part)) return `its stack does not hold "${part}"`;
  if (kind === "process" && seen.asleep.has(stack)) return "its preview is asleep";
  return undefined;
}

type Verdict = { lost?: Omit<Lost, "forMs">; stuck?: Omit<Stuck, "forMs"> };

function judgeServed({ key, stack, host, headSha }: Meant, seen: Seen, text: string | undefined): Verdict {
  const answer = seen.answers.get(host);
  const wanted = text ?? headSha ?? "";
  const lost = (found: string): Verdict => ({ lost: { key, wanted, found } });
  const stuck = (found: string): Verdict => ({ stuck: { key, host, found } });
  const kept = seen.stacks.get(stack);
  const isAtHead = headSha === undefined || kept?.spec.includes(headSha);
  if (!answer) return kept && isAtHead ? {} : lost(kept ? "its stack is of another commit" : "there is no stack of it");
  if ("none" in answer) return stuck(answer.none);
  if (answer.page === undefined) {
    if (answer.status >= 500) return stuck(wordsOf(answer));
    return answer.text.includes(wanted) ? {} : lost(wordsOf(answer));
  }
  if (answer.status === 404) return lost(wordsOf(answer));
  if (!isAsleep(answer, stack, seen)) return stuck(wordsOf(answer));
  return isAtHead ? {} : lost("it sleeps at another commit");
}

/** By its page and by the wish that lies beside its releases: one that wakes for ever has only one of them. */
function isAsleep({ status, page }: Answer, stack: string, { asleep }: Seen): boolean {
  return status === 503 && (page === "Asleep" || page === "Healthy") && asleep.has(stack);
}

/** Of a further service it is only known that it must answer. */
function judgeOtherHosts({ key, stack, host: main }: Meant, seen: Seen): Omit<Stuck, "forMs">[] {
  if (seen.asleep.has(stack)) return [];
  return (seen.hosts.get(stack) ?? []).flatMap((host) => {
    const answer = host === main ? undefined : seen.answers.get(host);
    if (!answer) return [];
    if ("none" in answer) return [{ key, host, found: answer.none }];
    return answer.page === undefined ? [] : [{ key, host, found: wordsOf(answer) }];
  });
}

function judgeOver({ key, stack, host: main }: Over, seen: Seen): Omit<Stuck, "forMs">[] {
  const hosts = new Set([main, ...(seen.hosts.get(stack) ?? [])]);
  return [...hosts].flatMap((host) => {
    const answer = seen.answers.get(host);
    // Where nobody answers there is nothing left to answer.
    if (!answer || "none" in answer || (answer.page !== undefined && answer.status === 404)) return [];
    return [{ key, host, found: `closed, and ${wordsOf(answer)}` }];
  });
}

function wordsOf({ status, text, page }: Answer): string {
  if (page !== undefined) return `HTTP ${status}, a page that says ${page}`;
  return `HTTP ${status}, ${JSON.stringify(text.trim().slice(0, 80))}`;
}
