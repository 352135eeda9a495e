/** What happens in each round: chosen by the seed alone, so that the seed repeats it. */
import type { Random } from "../random.ts";
import type { Victim } from "../world/victims.ts";

/** What people do to a pull request and its preview. `visit` is a request to one that sleeps. */
export type DeedKind = "open" | "push" | "close" | "sleep" | "wake" | "visit";

export interface Deed {
  readonly kind: DeedKind;
  readonly gitBranch: string;
  /** When it is done, in parts of what an undisturbed update takes, from the round's begin. */
  readonly at: number;
}

export interface Kill {
  readonly victim: Victim;
  /** From 0 up to 1: which of several it is. */
  readonly choice: number;
  /** When, in parts of what an undisturbed update takes: from the round's begin, or from when an engine runs. */
  readonly moment: number;
}

export interface RoundPlan {
  readonly round: number;
  readonly deeds: readonly Deed[];
  readonly kills: readonly Kill[];
}

/** What is wished for of each open pull request, by git branch. */
export type Wishes = Map<string, "awake" | "asleep">;

const MOST_OPEN = 5;
const FEWEST_OPEN = 2;
const MOST_DEEDS = 3;

/** The next round over pull requests as the rounds before left them; `wishes` is brought up to date. */
export function planRound(random: Random, round: number, wishes: Wishes): RoundPlan {
  const deeds = planDeeds(random, round, wishes);
  const runsEngines = deeds.some(({ kind }) => kind === "open" || kind === "push" || kind === "close");
  const first = planKill(random, runsEngines);
  const second = random.chance(0.25) ? [planKill(random, runsEngines)] : [];
  return { round, deeds, kills: [first, ...second] };
}

/** Up to three pull requests, one deed on each, sometimes another behind it before the first is through. */
function planDeeds(random: Random, round: number, wishes: Wishes): readonly Deed[] {
  const deeds: Deed[] = [];
  const untouched = new Set(wishes.keys());
  const count = random.between(1, MOST_DEEDS);
  for (let index = 0; index < count; index++) {
    const opens = wishes.size < FEWEST_OPEN || (wishes.size < MOST_OPEN && random.chance(0.3));
    const gitBranch = opens ? `round-${round}-${index + 1}` : pickFrom(random, untouched);
    if (gitBranch === undefined) continue;
    untouched.delete(gitBranch);
    const kind = opens ? "open" : chooseKind(random, wishes, gitBranch);
    const at = index === 0 ? 0 : random.next() * 0.5;
    deeds.push({ kind, gitBranch, at });
    apply(wishes, kind, gitBranch);
    const followed = kind === "open" || kind === "push" ? random.chance(0.25) : false;
    if (!followed) continue;
    const next = random.chance(0.5) && wishes.size > FEWEST_OPEN ? "close" : "push";
    deeds.push({ kind: next, gitBranch, at: at + random.next() });
    apply(wishes, next, gitBranch);
  }
  return deeds.sort((a, b) => a.at - b.at);
}

function chooseKind(random: Random, wishes: Wishes, gitBranch: string): DeedKind {
  if (wishes.get(gitBranch) === "asleep") return random.pick(["wake", "visit", "visit", "push", "close"]);
  return random.pick(["push", "push", "sleep", "sleep", "close"]);
}

function apply(wishes: Wishes, kind: DeedKind, gitBranch: string): void {
  if (kind === "close") wishes.delete(gitBranch);
  else wishes.set(gitBranch, kind === "sleep" ? "asleep" : "awake");
}

/** One of the five that the service is made of; of Postgres there are four to kill. */
function planKill(random: Random, runsEngines: boolean): Kill {
  const part = random.pick(["service", "runner", "watchdog", "engine", "postgres"] as const);
  const postgres = random.pick(POSTGRES);
  const victim = part === "postgres" || (part === "engine" && !runsEngines) ? postgres : part;
  return { victim, choice: random.next(), moment: random.next() * 1.2 };
}

const POSTGRES = ["store's postmaster", "store's backend", "previews' postmaster", "previews' backend"] as const;

function pickFrom(random: Random, branches: ReadonlySet<string>): string | undefined {
  const [first, ...rest] = branches;
  return first === undefined ? undefined : random.pick([first, ...rest]);
}
