/** What the pictures of the pages show: previews in every stage of life, and what they took of time and money. */
import { standingsOf } from "../service/money/budgets/budget.ts";
import type { BudgetState } from "../service/money/budgets/budgets.ts";
import type { DayCost } from "../service/money/ledger.ts";
import type { Preview } from "../service/status.ts";
import { type AppEdge, costsOf, startApp } from "../test/service/app/app-edge.ts";
import { aPreview, COMMIT, type PreviewWish } from "../test/support/previews.ts";

const HOUR_MS = 3_600_000;
const AUTHORS = ["ada", "grace", "linus", "margaret", "barbara"];

const linked = (number: number) => ({ web: `http://pr-${number}-shop.localhost:4000` });

interface Listed extends PreviewWish {
  readonly number: number;
  /** Ago, that it was made. */
  readonly hours: number;
  readonly author: string;
  readonly title: string;
}

const LISTED: readonly Listed[] = [
  {
    ...{ number: 57, hours: 1, author: "grace", title: "Send receipts by mail" },
    status: { message: "Building commit 0123456." },
  },
  {
    ...{ number: 56, hours: 2, author: "linus", title: "Sort the catalogue by price" },
    status: {
      reason: "Queued",
      message: "First in the queue of shop, which may have 6 live previews at once. It goes on by itself.",
      since: before(0.2),
    },
  },
  {
    ...{ number: 55, hours: 5, author: "ada", title: "Pay by invoice", urls: linked(55) },
    status: {
      condition: "Stalled",
      reason: "MigrationFailed",
      message: "migrating: `0007_invoices.sql` failed; the version before goes on.",
    },
  },
  { number: 54, hours: 9, author: "margaret", title: "Remember the last address", urls: linked(54) },
  { number: 51, hours: 26, author: "grace", title: "Search while one types", urls: linked(51) },
  {
    ...{ number: 48, hours: 70, author: "barbara", title: "Ask before a cart is emptied", urls: linked(48) },
    status: { awake: false, reason: "Asleep", message: "Asleep; a visit wakes it." },
  },
  {
    ...{ number: 42, hours: 120, author: "ada", title: "Show the cart total" },
    urls: { ...linked(42), api: "http://pr-42-api-shop.localhost:4000" },
    status: { outputs: { database: "shop_pr_42" } },
  },
];

/** Previews in memory behind the tests' own server. */
export async function startPicturedWorld(): Promise<AppEdge> {
  const ledger = spent();
  const costs = costsOf(ledger, { now: () => before(0), by: authored });
  const edge = await startApp({
    costs,
    extras: async (preview) => {
      const cost = await costs.of(preview);
      return cost ? { cost } : {};
    },
  });
  fill(edge);
  fillNumbers(edge);
  edge.budgets.push(...(await budgeted(edge, ledger)));
  return edge;
}

/** Every stage of life, a queue, a stage, a failure with its words. */
function fill({ store, samples, lines, deployments }: AppEdge): void {
  for (const { number, hours, author, title, ...more } of LISTED) {
    const { urls } = more;
    store.put(aged(aPreview({ ...more, number, title, ...(urls ? { urls } : {}) }), { hours, author }));
  }
  const site = aPreview({
    number: 12,
    repository: "site",
    title: "New pictures for the front page",
    urls: { web: "http://pr-12-site.localhost:4000" },
  });
  store.put(aged(site, { hours: 31, author: "linus" }));
  const stage = aPreview({ number: 1, urls: { web: "http://staging-shop.localhost:4000" } });
  const { number: _none, pullRequest: _no, ...staged } = aged(stage, { hours: 900, author: "" });
  store.put({ ...staged, key: "shop:staging", stack: "shop-st-staging", gitBranch: "main" });
  for (const [hours, reason, message] of [
    [5, "Provisioning", "Building commit 0123456."],
    [4.9, "Healthy", "Live at 0123456."],
  ] as const) {
    void store.record({ key: "shop#42", at: before(hours), reason, message });
  }
  const began = Date.parse(before(5));
  const at = (seconds: number) => new Date(began + seconds * 1000).toISOString();
  const steps = (["source", "install", "build", "database", "migrate", "services", "checks"] as const).map(
    (stage, index) => ({ stage, at: at(3 * index), endedAt: at(3 * index + 3) }),
  );
  const deployment = { id: "7", key: "shop#42", kind: "up", outcome: "done", cause: "Push of commit 0123456" } as const;
  const said = ["added 214 packages in 3s", "built in 2.61s", "applied 002-cart.sql", "listening on 4100"].map(
    (text, index) => ({ n: index + 1, at: at(4 + 4 * index), kind: "output" as const, text }),
  );
  deployments.put({ ...deployment, commit: COMMIT, at: at(0), endedAt: at(21), steps, lines: said.length }, said);
  lines.push({ service: "web", text: "listening on 4100" }, { service: "web", text: "GET /cart 200 in 12 ms" });
  for (let hour = 24 * 8; hour > 0; hour -= 1) {
    const day = Math.sin((hour / 24) * 2 * Math.PI);
    samples.push({
      at: before(hour),
      here: Math.round(14 + 4 * day - hour / 40),
      awake: Math.round(7 + 4 * day),
      stalled: hour % 37 < 3 ? 1 : 0,
      queued: 0,
      meanAgeSeconds: 150_000 + hour * 300,
      readySeconds: [18 + (hour % 9), 21 + (hour % 5), 40 + (hour % 23)],
      tornDown: hour % 4 === 0 ? 2 : 0,
      teardownsFailed: hour === 60 ? 1 : 0,
    });
  }
}

/** A month of pull requests, with what they came to. */
function fillNumbers({ facts }: AppEdge): void {
  const versions = Array.from({ length: 90 }, (_, index) => ({ key: `shop#${index}`, hours: 29 * 24 - index * 7.6 }));
  const failures = ["BuildFailed", "HealthCheckFailed", "BuildFailed", "MigrationFailed"];
  facts.moves = versions.flatMap(({ key, hours }, index) => [
    { key, at: before(hours), reason: "Provisioning" },
    ...(index % 6 === 0 ? [{ key, at: before(hours - 0.01), reason: failures[(index / 6) % 4] ?? "" }] : []),
    { key, at: before(hours - 0.012 - (index % 9) / 900), reason: "Healthy" },
    { key, at: before(hours - 3 - (index % 7)), reason: "Asleep" },
    { key, at: before(hours - 20), reason: index === 70 ? "DestroyFailed" : "Destroying" },
    { key, at: before(hours - 20.01), reason: "Gone" },
  ]);
  facts.tornDown = versions.map(({ key, hours }) => ({ key, at: before(hours - 20.01) }));
  facts.mergedSince = before(26 * 24);
  facts.merged = Array.from({ length: 58 }, (_, index) => ({
    key: `shop#${index}`,
    openedAt: before(index * 11 + 10 + ((index * 37) % 50) + (index % 4 === 0 ? 30 : 0)),
    mergedAt: before(index * 11 + 3),
    previewed: index % 4 !== 0,
    bot: index % 13 === 0,
  }));
  facts.costs = versions.map(({ key }, index) => ({
    name: key,
    currency: "USD",
    cost: 0.04 + ((index * 17) % 60) / 100,
    basis: "estimated" as const,
  }));
  const swept = { dryRun: false, failed: [], unread: [], removed: ["shop-pr-31"] };
  const stray = { stack: "shop-pr-31", hasStack: false, things: [], why: "", needsConfirmation: false };
  facts.sweeps = Array.from({ length: 90 }, (_, index) => ({
    ...swept,
    at: before(719 - index * 8),
    found: index === 3 ? [stray] : [],
  }));
}

/** By day and meter: what serves by day and sleeps at night takes little of a machine, and weekends less. */
function spent(): readonly DayCost[] {
  const merged = Array.from({ length: 24 }, (_, index) => ({
    key: index % 4 === 3 ? `site#${(index + 9) / 4}` : `shop#${index + 14}`,
    from: 700 - index * 26,
    to: 700 - index * 26 - 90 - ((index * 37) % 80),
  }));
  const here = LISTED.map(({ number, hours }) => ({ key: `shop#${number}`, from: hours, to: 0 }));
  return [...merged, ...here, { key: "site#12", from: 31, to: 0 }].flatMap(({ key, from, to }, index) => {
    const days = new Set(
      Array.from({ length: Math.ceil(from - to) + 1 }, (_, hour) => dayOf(Math.max(0, from - hour))),
    );
    return [...days].flatMap((day, at) => {
      const isWeekend = [0, 6].includes(new Date(day).getUTCDay());
      const busy = (isWeekend ? 0.25 : 1) * (1 + ((index * 7 + at * 3) % 5) / 3);
      const line = (meter: DayCost["meter"], unit: DayCost["unit"], quantity: number, cost: number): DayCost => {
        return {
          key,
          day,
          source: "metered",
          meter,
          unit,
          quantity: quantity * busy,
          cost: cost * busy,
          currency: "USD",
        };
      };
      return [
        line("cpu", "vCPU-hours", 5.5, 0.22),
        line("memory", "GiB-hours", 9, 0.041),
        line("database-storage", "GiB-months", 0.09, 0.013),
      ];
    });
  });
}

async function budgeted({ store }: AppEdge, costs: readonly DayCost[]): Promise<readonly BudgetState[]> {
  const at = { warn: 80, refuse: 100 };
  const standings = standingsOf({
    budgets: [
      { name: "house", of: "all", amount: 45, at: { ...at, sleep: 110, stop: 150 } },
      { name: "team", of: "repository", amount: 40, at },
      { name: "each", of: "preview", repositories: ["site"], amount: 5, at: { warn: 80, stop: 100 } },
    ],
    costs,
    previews: await store.current(),
    repositoryOf: (key) => key.split("#")[0],
    repositories: ["shop", "site"],
    currency: "USD",
    now: before(0),
  });
  return standings.map((one) => ({ ...one, held: one.level, now: before(0) }));
}

function authored(key: string) {
  const number = Number(key.split("#")[1]);
  const listed = LISTED.find((one) => key === `shop#${one.number}`);
  return listed ? { author: listed.author, title: listed.title } : { author: AUTHORS[number % AUTHORS.length] ?? "" };
}

function aged(preview: Preview, { hours, author }: { readonly hours: number; readonly author: string }): Preview {
  const { pullRequest, status } = preview;
  return {
    ...preview,
    createdAt: before(hours),
    lastPushAt: before(hours / 2),
    lastVisitAt: before(hours / 3),
    status: { ...status, since: before(Math.min(hours, 4)) },
    ...(pullRequest ? { pullRequest: { ...pullRequest, author } } : {}),
  };
}

function before(hours: number): string {
  return new Date(Date.now() - hours * HOUR_MS).toISOString();
}

function dayOf(hours: number): string {
  return before(hours).slice(0, 10);
}
