/** The list of 200 previews: its first byte, its size, and how soon a change is seen, on a whole service with its real store and gateway. */
import { Agent, get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { withClient } from "../components/local/database-client.ts";
import { layout } from "../components/local/layout.ts";
import { BATCH_MS } from "../service/api/streams.ts";
import { type Instance, prepareInstance } from "../test/e2e/support/instance.ts";
import { tinyApp } from "../test/e2e/support/tiny-app.ts";
import { createRepository } from "../test/support/git-repository.ts";
import { removeInstance, urlOfServer } from "./ground.ts";
import { type BenchPart, sample } from "./part.ts";
import { median } from "./report.ts";

const PREVIEWS = 200;
const PAGE_MAX_KIB = Math.floor(300_000 / 1024);
/** In one sample, of which the median counts: one answer takes a few milliseconds. */
const ASKED_AGAIN = 21;
const PATIENCE_MS = 30_000;
/** So that the next change is the first one after a while, not one of a batch. */
const QUIET_MS = BATCH_MS * 2;

export const benchDashboard: BenchPart = async (context) => {
  context.say(`dashboard: making ${PREVIEWS} previews`);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const bench = await prepare(undo);
    const { port } = bench;
    const firstByte = async (path: string) => (await ask({ port, path, cookie: bench.cookie })).firstByteMs;
    const [full, empty, pages]: [number[], number[], number[]] = [[], [], []];
    const [seen, allowed, burst, asked]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let warm = 0; warm < ASKED_AGAIN * 2; warm++) for (const path of ["/", NOTHING]) await firstByte(path);
    await sample(context, async (round) => {
      context.say(`dashboard, sample ${round + 1}`);
      const turns: { list: number[]; nothing: number[]; gateway: number[] } = { list: [], nothing: [], gateway: [] };
      for (let turn = 0; turn < ASKED_AGAIN; turn++) {
        turns.list.push(await firstByte("/"));
        turns.nothing.push(await firstByte(NOTHING));
        turns.gateway.push((await ask({ port, path: "/", host: `pr-1-bench.localhost:${port}` })).ms);
      }
      full.push(median(turns.list));
      empty.push(median(turns.nothing));
      pages.push((await ask({ port, path: "/", cookie: bench.cookie })).body.length / 1024);
      seen.push(await bench.change([`bench#${round + 2}`]).then(({ ms }) => ms));
      allowed.push(2 * median(turns.gateway) + BATCH_MS);
      const many = await bench.change(Array.from({ length: PREVIEWS }, (_, index) => `bench#${index + 1}`));
      burst.push(many.ms);
      asked.push(many.requests);
    });
    const notes = [`${PREVIEWS} previews on one page, logged in; one whole service; its real store; keep-alive`];
    const name = `dashboard of ${PREVIEWS} previews`;
    return [
      {
        name: `${name}: first byte`,
        peer: "page of the same server with nothing on it",
        unit: "ms",
        ours: full,
        theirs: empty,
        ratio: "ours/theirs",
        aim: { kind: "max", value: 3 },
        notes,
      },
      {
        name: `${name}: page`,
        unit: "KiB",
        ours: pages,
        theirs: [],
        ratio: "ours/theirs",
        aim: { kind: "max", value: PAGE_MAX_KIB, of: "ours" },
      },
      {
        name: "change in the store → row seen",
        peer: `2 × gateway's round trip + ${BATCH_MS} ms`,
        unit: "ms",
        ours: seen,
        theirs: allowed,
        ratio: "ours/theirs",
        aim: { kind: "max", value: 1 },
        notes: ["by a client that asks as live.js does: the stream's event, then the row"],
      },
      {
        name: `${PREVIEWS} changes at once → all seen`,
        unit: "ms",
        ours: burst,
        theirs: [],
        ratio: "ours/theirs",
        notes: [`${median(asked)} requests after ${PREVIEWS} changes at once`],
      },
    ];
  } finally {
    for (const step of undo.toReversed()) await step().catch((error: unknown) => console.error(error));
  }
};

/** A preview that there is not: the frame with a few words in it. */
const NOTHING = "/previews/bench%23999999";

interface Bench {
  readonly port: number;
  readonly cookie: string;
  /** Changes them in one transaction, as the service does, and waits until a page would show all. */
  change(keys: readonly string[]): Promise<{ readonly ms: number; readonly requests: number }>;
}

async function prepare(undo: (() => Promise<unknown>)[]): Promise<Bench> {
  const repository = await createRepository({ files: tinyApp({ text: "main" }) });
  undo.push(() => repository.remove());
  await repository.commit("feature", { "text.txt": "feature" });
  const instance = await prepareInstance({
    // Nothing looks at the copies, which no pull request has.
    config: (port) =>
      `port: ${port}\nlifecycle: { resync: 24h }\nrepositories:\n  - { path: ${repository.path}, name: bench }\n`,
  });
  undo.push(() => removeInstance(instance));
  await instance.start();
  await instance.waitFor("bench#1", ({ reason }) => reason === "Healthy", "live");
  const url = await urlOfServer(join(layout(instance.dataDir).postgres, "store"));
  undo.push(() => copies(url, `delete from preview where key <> 'bench#1'`));
  await copies(url, COPY);
  const { port } = instance;
  const cookie = await logIn(instance);
  return { port, cookie, change: (keys) => change({ url, port, cookie, keys }) };
}

/** The first one, served, many times: as wide as a real row, by several authors. */
const COPY = `
  insert into preview (key, stack, repository, number, git_branch, created_at, last_push_at, last_visit_at,
                       intents, status, pull_request, handles)
  select 'bench#' || n, 'bench-pr-' || n, repository, n, 'feature-' || n, created_at - make_interval(hours => n),
         last_push_at, now() - make_interval(mins => n), intents,
         replace(status::text, 'pr-1-bench', 'pr-' || n || '-bench')::jsonb,
         pull_request || jsonb_build_object('number', n, 'author', 'author-' || n % 9,
           'title', 'Let people pay by invoice, and remind them after ' || n || ' days'),
         handles
  from preview, generate_series(2, ${PREVIEWS}) as n where key = 'bench#1'`;

async function copies(url: string, statement: string): Promise<void> {
  await withClient(url, async (client) => void (await client.query(statement)));
}

async function logIn(instance: Instance): Promise<string> {
  const { pathname } = new URL(await instance.client.loginLink());
  const { headers } = await ask({ port: instance.port, path: pathname });
  return (headers["set-cookie"] ?? []).map((line) => line.split(";")[0]).join("; ");
}

interface Changing {
  readonly url: string;
  readonly port: number;
  readonly cookie: string;
  readonly keys: readonly string[];
}

async function change({ url, port, cookie, keys }: Changing): ReturnType<Bench["change"]> {
  const stream = await openStream(port, cookie);
  try {
    await delay(QUIET_MS);
    const word = `Changed ${performance.now()}`;
    const awaited = new Set(keys);
    let requests = 0;
    return await withClient(url, async (client) => {
      const began = performance.now();
      await client.query(
        `with done as (update preview set status = status || jsonb_build_object('condition', 'Reconciling', 'message', $1::text)
           where key = any($2) returning key) select pg_notify('stackling_preview', key) from done`,
        [word, keys],
      );
      while (awaited.size > 0) {
        const said = await stream.next();
        const rows = said && said.length <= 20 ? said : undefined;
        const path = rows ? `/rows?${rows.map((key) => `&key=${encodeURIComponent(key)}`).join("")}` : "/";
        requests += 1;
        const { body } = await ask({ port, path, cookie });
        const shown = body.split("<tr ").filter((row) => row.includes(word));
        for (const row of shown) awaited.delete(/data-key="([^"]+)"/.exec(row)?.[1] ?? "");
      }
      return { ms: performance.now() - began, requests };
    });
  } finally {
    stream.close();
  }
}

interface Stream {
  /** Keys of the next event; null: more than can be said. */
  next(): Promise<readonly string[] | null>;
  close(): void;
}

async function openStream(port: number, cookie: string): Promise<Stream> {
  const { body: page } = await ask({ port, path: "/", cookie });
  const path = /sse-connect="([^"]+)"/.exec(page)?.[1]?.replaceAll("&#38;", "&") ?? "/live";
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, path, headers: { host: `localhost:${port}`, cookie } }, resolve).on("error", reject);
  });
  const events = (async function* () {
    let rest = "";
    for await (const chunk of response.setEncoding("utf8")) {
      const parts = (rest + String(chunk)).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (data !== undefined) yield (JSON.parse(data) as { keys: readonly string[] | null }).keys;
      }
    }
  })();
  return {
    async next() {
      const late = AbortSignal.timeout(PATIENCE_MS);
      const { value, done } = await Promise.race([
        events.next(),
        new Promise<never>((_, reject) => late.addEventListener("abort", () => reject(late.reason), { once: true })),
      ]);
      if (done) throw new Error("waiting for a change: the stream ended");
      return value;
    },
    close: () => response.destroy(),
  };
}

interface Answer {
  readonly firstByteMs: number;
  readonly ms: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** By hand: names under localhost are known to browsers alone. */
function ask({
  port,
  path,
  cookie,
  host = `localhost:${port}`,
}: {
  readonly port: number;
  readonly path: string;
  readonly cookie?: string;
  readonly host?: string;
}): Promise<Answer> {
  const headers = { host, accept: "text/html", ...(cookie === undefined ? {} : { cookie }) };
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const request = get({ agent, port, path, headers }, async (response) => {
      const firstByteMs = performance.now() - began;
      let body = "";
      for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
      resolve({ firstByteMs, ms: performance.now() - began, body, headers: response.headers });
    });
    request.on("error", reject);
  });
}
