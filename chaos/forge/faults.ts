/** Wrong answers of a forge: nothing is destroyed or announced for them, and no limit is overstepped. */
import type { Fault as BrokenAnswer } from "../../test/support/emulate-front.ts";
import { eventually } from "../../test/support/eventually.ts";
import type { Fault } from "../faults.ts";
import type { ForgeWorld } from "./world.ts";

type Run = Fault<ForgeWorld>["run"];

const LISTS = /^\/repos\/acme\/shop\/pulls\?/;
/** Number of a pull request that only the other repository has. */
const STRANGE = 4711;
/** As many resyncs and looks as see a fault before it counts as met. */
const TIMES_MET = 2;
const SHORT_LIMIT_SECONDS = 3;
/** Beyond what a call waits for: it is refused at once. */
const LONG_LIMIT_SECONDS = 35;

const SECONDARY = '{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}';
const PRIMARY = '{"message":"API rate limit exceeded for user ID 1."}';

export const FORGE_FAULTS: readonly Fault<ForgeWorld>[] = [
  { name: "every answer is 500", run: refuses(500) },
  { name: "every answer is 401", long: true, run: refuses(401) },
  { name: "every answer is 404", run: refuses(404) },
  { name: "an hour's requests are used up", run: limits(SHORT_LIMIT_SECONDS, primary) },
  {
    name: "an hour's requests are used up for longer than a call waits",
    long: true,
    run: limits(LONG_LIMIT_SECONDS, primary),
  },
  { name: "too many requests at once, 403", long: true, run: limits(SHORT_LIMIT_SECONDS, secondary(403)) },
  { name: "too many requests at once, 429", long: true, run: limits(SHORT_LIMIT_SECONDS, secondary(429)) },
  { name: "no answer at all", long: true, run: hangs },
  { name: "an empty list", long: true, run: lists(async () => ({ body: "[]" })) },
  { name: "an empty list, and 404 for each", run: emptyAndHidden },
  { name: "answers cut off in the middle", run: cutOff },
  { name: "half a page, and where the rest is", run: lists(halfPage) },
  { name: "another repository's list", run: othersList },
  { name: "another repository's pull request, closed", run: othersPull },
];

/** To reads; writes would go through, so that wrong words were seen. */
function refuses(status: number): Run {
  return (world) => broken(world, [{ method: "GET", path: /^/, status }], () => world.shown("Unreachable"));
}

async function hangs(world: ForgeWorld): Promise<readonly string[]> {
  const met = seen(world, ({ status }) => status === 0);
  return broken(world, [{ method: "GET", path: /^/, status: 0 }], met);
}

async function emptyAndHidden(world: ForgeWorld): Promise<readonly string[]> {
  const faults = [
    { path: LISTS, status: 200, body: "[]" },
    { path: pathOf(world.number), status: 404 },
  ];
  return broken(world, faults, () => world.shown("Unreachable"));
}

async function cutOff(world: ForgeWorld): Promise<readonly string[]> {
  const half = (text: string) => text.slice(0, text.length / 2);
  const [list, one] = [await open(world), await pullOf(world, world.number)];
  const faults = [
    { path: LISTS, status: 200, body: half(JSON.stringify(list)) },
    { path: pathOf(world.number), status: 200, body: half(JSON.stringify(one)) },
  ];
  return broken(world, faults, () => world.shown("Unreachable"));
}

async function halfPage(world: ForgeWorld) {
  const body = JSON.stringify([await pullOf(world, world.other)]);
  const next = `${world.github.url}/repositories/1/pulls?state=open&page=2`;
  return { body, headers: { link: `<${next}>; rel="next"` } };
}

/** Of which each can be read as well. */
async function othersList(world: ForgeWorld): Promise<readonly string[]> {
  const one = elsewhere(await pullOf(world, world.number));
  const strange = { ...one, number: STRANGE };
  const faults = [
    { path: LISTS, status: 200, body: JSON.stringify([one, strange]) },
    { path: pathOf(STRANGE), status: 200, body: JSON.stringify(strange) },
  ];
  return broken(world, faults, seen(world, isList));
}

async function othersPull(world: ForgeWorld): Promise<readonly string[]> {
  const body = JSON.stringify({ ...elsewhere(await pullOf(world, world.number)), state: "closed" });
  const faults = [{ path: pathOf(world.number), status: 200, body }];
  return broken(world, faults, () => world.shown("RepositoryReplaced"));
}

/** Only the list is wrong; each pull request is still read for itself. */
function lists(answer: (world: ForgeWorld) => Promise<Pick<BrokenAnswer, "body" | "headers">>): Run {
  return async (world) => broken(world, [{ path: LISTS, status: 200, ...(await answer(world)) }], seen(world, isList));
}

/** Holds through the fault, and the next push is served when it is lifted. */
async function broken(
  world: ForgeWorld,
  faults: readonly BrokenAnswer[],
  met: () => Promise<unknown>,
): Promise<readonly string[]> {
  const lifts = faults.map((fault) => world.github.fail(fault));
  const problems: string[] = [];
  try {
    await world.look();
    await met();
    problems.push(...(await world.wrongs()));
  } finally {
    for (const lift of lifts) lift();
  }
  return [...problems, ...(await world.pushed())];
}

/** Several requests of this kind from now on, while it is looked again and again. */
function seen(
  { github, look }: ForgeWorld,
  isMeant: (request: { path: string; status: number }) => boolean,
): () => Promise<unknown> {
  const before = github.requests.length;
  return () =>
    eventually(
      async () => {
        await look();
        return github.requests.slice(before).filter(isMeant).length >= TIMES_MET;
      },
      { timeoutMs: 60_000, intervalMs: 250, what: "the fault was met" },
    );
}

/** The answer of a limit that is past at `end`, in milliseconds since the epoch. */
type Limit = (end: number) => Omit<BrokenAnswer, "path">;

function primary(end: number): ReturnType<Limit> {
  const reset = String(Math.ceil(end / 1000));
  const headers = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
  return { status: 403, body: PRIMARY, headers };
}

function secondary(status: number): Limit {
  return (end) => {
    const headers = { "retry-after": String(Math.ceil((end - Date.now()) / 1000)) };
    return { status, body: SECONDARY, headers };
  };
}

/** Until the limit is past, what was refused is not asked again, however often it is looked. */
function limits(seconds: number, limit: Limit): Run {
  return async (world) => {
    const { github } = world;
    const before = github.requests.length;
    const end = (Math.ceil(Date.now() / 1000) + seconds) * 1000;
    const answer = limit(end);
    const lift = github.fail({ path: /^/, ...answer });
    const timer = setTimeout(lift, end - Date.now());
    const refused = () => github.requests.slice(before).filter(({ status }) => status === answer.status);
    const problems: string[] = [];
    let asked: ReturnType<typeof refused> = [];
    const isPast = async () => {
      await world.look();
      if (Date.now() >= end) return true;
      asked = refused();
      return false;
    };
    try {
      await eventually(() => refused().length > 0, { what: "a request was refused" });
      problems.push(...(await world.wrongs()));
      await eventually(isPast, { timeoutMs: 2 * seconds * 1000, intervalMs: 250, what: "the limit's end" });
    } finally {
      clearTimeout(timer);
      lift();
    }
    return [...problems, ...askedTwice(asked), ...(await world.pushed())];
  };
}

/** What was on its way when the first was refused may come; nothing comes again. */
function askedTwice(refused: readonly { readonly method: string; readonly path: string }[]): readonly string[] {
  const asked = Map.groupBy(refused, ({ method, path }) => `${method} ${path}`);
  const again = [...asked].filter(([, times]) => times.length > 1);
  return again.map(([what, times]) => `asked ${times.length} times in spite of the limit: ${what}`);
}

interface Pull {
  readonly number: number;
  readonly base: { readonly repo: object };
}

async function pullOf({ github }: ForgeWorld, number: number): Promise<Pull> {
  return (await github.api("GET", `/repos/acme/shop/pulls/${number}`)) as Pull;
}

async function open({ github }: ForgeWorld): Promise<unknown> {
  return github.api("GET", "/repos/acme/shop/pulls?state=open");
}

function elsewhere(one: Pull): Pull {
  return { ...one, base: { ...one.base, repo: { ...one.base.repo, id: 999_999, full_name: "acme/other" } } };
}

function isList({ path }: { readonly path: string }): boolean {
  return LISTS.test(path);
}

function pathOf(number: number): RegExp {
  return new RegExp(`/pulls/${number}$`);
}
