/** Where the secrets of a preview are, and that they are nowhere else: not where people look, nor where other users can. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import pg from "pg";
import { withClient } from "../../components/local/database-client.ts";
import { previewDatabaseName } from "../../components/local/database-names.ts";
import { layout } from "../../components/local/layout.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import {
  commandLines,
  dumpOfStore,
  type FileLeak,
  formsOf,
  leaksBelow,
  leaksOn,
  type Surface,
} from "./support/leaks.ts";
import { environmentsOf, remainsOf } from "./support/oracle.ts";
import { findServer } from "./support/servers.ts";
import { TELLING_APP } from "./support/telling-app.ts";
import { dial, visitorOf } from "./support/visitor.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/stackling.mjs", import.meta.url));
const KEY = "shop#1";
const OTHER = "shop#2";
/** With what each form writes in another way. */
const GRANTED = {
  PAYMENT_KEY: `sk_"test"/42+x=&<y>'é`,
  PASSWORD: "door of the operator",
  BYPASS: "word-of-test-runners",
};

describe("the secrets of a preview", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  let preview: PreviewView;
  /** All there ever were, by what they are. */
  const secrets = new Map<string, string>();
  let ending: (() => Promise<unknown>) | undefined;

  before(async () => {
    world = await prepareGithubWorld({
      files: TELLING_APP,
      environment: {
        TEST_PAYMENT_KEY: GRANTED.PAYMENT_KEY,
        TEST_PASSWORD: GRANTED.PASSWORD,
        TEST_BYPASS: GRANTED.BYPASS,
      },
    });
    const repository = "{ path: acme/shop, secrets: { PAYMENT_KEY: { env: TEST_PAYMENT_KEY } } }";
    const access = "access: { password: { env: TEST_PASSWORD }, bypass: { env: TEST_BYPASS } }";
    await world.instance.start({ config: world.config({ more: access }).replace("{ path: acme/shop }", repository) });
    for (const [name, value] of Object.entries(GRANTED)) secrets.set(name, value);
    const instance = JSON.parse(await readFile(join(world.instance.dataDir, "instance.json"), "utf8"));
    secrets.set("the token of the API", instance.token);
    secrets.set("GitHub's token", world.github.token);
    secrets.set("the webhook's secret", world.github.webhookSecret);
    secrets.set("the passphrase", (await readFile(layout(world.instance.dataDir).passphrase, "utf8")).trim());
  });
  after(async () => {
    await ending?.();
    await world.remove();
  });

  const open = (gitBranch: string) => world.github.open({ gitBranch, files: { "text.txt": gitBranch } });
  const live = (key: string, headSha: string) =>
    world.instance.waitFor(key, (p) => p.reason === "Healthy" && p.commit === headSha, `live at ${headSha}`);
  const asked = (url: string) => {
    const { hostname, port } = new URL(url);
    return dial(Number(port), {
      path: "/",
      headers: { host: `${hostname}:${port}`, "x-stackling-bypass": GRANTED.BYPASS },
    });
  };
  /** What its services were given, and noted from now on as what must show nowhere. */
  async function given(stack: string, when: string) {
    const [environment = ""] = await environmentsOf({ dataDir: world.instance.dataDir, stack });
    const variable = (name: string) => new RegExp(`(?:^|\\0)${name}=([^\\0]+)`).exec(environment)?.[1] ?? "";
    const found = { url: variable("DATABASE_URL"), session: variable("SESSION_KEY") };
    secrets.set(`the database's password ${when}`, new URL(found.url).password);
    secrets.set(`the generated secret ${when}`, found.session);
    for (const value of secrets.values()) assert.ok(value.length > 8);
    return found;
  }
  const logsIn = (url: string) => withClient(url, (client) => client.query("SELECT 1"));
  const isRefused = (url: string) =>
    assert.rejects(logsIn(url), /password authentication failed|not permitted to log in|does not exist/);

  const stackling = async (verb: string, ...rest: readonly string[]) => {
    const args = [PROGRAM, verb, "--data", world.instance.dataDir, ...rest];
    const run = await execa(process.execPath, args, { reject: false });
    return `${run.stdout}\n${run.stderr}`;
  };

  const callOf = (call: string) => {
    const [verb = "", ...rest] = call.split(" ");
    return stackling(verb, ...rest);
  };

  /** Whatever people, programs and vendors are shown. */
  async function surfaces(): Promise<readonly Surface[]> {
    const { github, instance } = world;
    const texts: Record<string, unknown> = {};
    const key = encodeURIComponent(KEY);
    for (const path of [
      "/previews",
      `/previews/${key}`,
      `/previews/${key}/history`,
      "/doctor",
      "/sweep",
      "/services",
    ]) {
      texts[`API ${path}`] = await instance.ask(path);
    }
    const verbs = [
      "ls",
      `show ${KEY}`,
      `logs ${KEY}`,
      "doctor",
      `pulumi ${KEY} -- stack export`,
      `pulumi ${KEY} -- stack output`,
    ];
    const calls = verbs.flatMap((verb) => (verb.startsWith("pulumi") ? [verb] : [verb, `${verb} --json`]));
    for (const call of calls) texts[`stackling ${call}`] = await callOf(call);
    const person = visitorOf(`http://localhost:${instance.port}`);
    await person.get(new URL(await instance.client.loginLink()).pathname);
    for (const path of ["/", `/previews/${key}`, "/sweep", "/services"]) {
      const { status, text } = await person.get(path, { accept: "text/html" });
      assert.equal(status, 200, path);
      texts[`page ${path}`] = text;
    }
    const { url = `http://pr-1-shop.localhost:${instance.port}` } = await instance.client.find(KEY);
    for (const host of [url, `http://pr-77-shop.localhost:${instance.port}`]) {
      texts[`gateway ${host}`] = await visitorOf(host).get("/", { accept: "text/html" });
    }
    texts.comments = await github.comments(1);
    const shas = [preview.commit, preview.headSha].map((sha) => sha ?? "");
    texts.statuses = shas.map((sha) => github.records?.statuses(sha));
    texts.deployments = github.records?.deployments();
    texts["requests to GitHub"] = github.requests;
    texts["the store's tables"] = await dumpOfStore(instance.dataDir);
    texts["a backup"] = await backup();
    texts["the service's own log"] = instance.lastEnd().stderr;
    const named = Object.entries(texts).map(([name, text]) => ({
      name,
      text: typeof text === "string" ? text : JSON.stringify(text),
    }));
    return [...named, await commandLines()];
  }

  async function backup(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "stackling-backup-"));
    try {
      await stackling("backup", join(folder, "store.jsonl"));
      return await readFile(join(folder, "store.jsonl"), "utf8");
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async function staySecret(): Promise<void> {
    const all = await surfaces();
    // Of one that is gone there are no logs; everything else always says something.
    const silent = all.filter(({ text }) => text.length <= 2).map(({ name }) => name.replace(/ --json$/, ""));
    const mayBeSilent = preview.stage === "Gone" ? [`stackling logs ${KEY}`] : [];
    assert.deepEqual(
      [...new Set(silent)].filter((name) => name !== "the service's own log"),
      mayBeSilent,
    );
    assert.deepEqual(leaksOn(all, secrets), []);
    const files = await leaksBelow(world.instance.dataDir, secrets);
    assert.deepEqual(files.filter((leak) => leak.othersCanRead || !mayHold(leak)).map(lineOf), []);
  }

  it("would be found in whatever form, in a text and in a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stackling-leaks-"));
    try {
      const value = GRANTED.PAYMENT_KEY;
      const within = Buffer.from(`of ${JSON.stringify({ value })} `).toString("base64");
      for (const form of [...formsOf(value), JSON.stringify({ text: JSON.stringify({ value }) }), within]) {
        const planted = [{ name: "planted", text: `somewhere ${form}, in a text` }];
        assert.deepEqual(leaksOn(planted, new Map([["it", value]])), form === within ? [] : ["planted: it"], form);
      }
      const bare = Buffer.from(`of ${value} `).toString("base64");
      await writeFile(join(folder, "planted"), `\0\0${bare}`, { mode: 0o644 });
      const found = await leaksBelow(folder, new Map([["it", value]]));
      assert.deepEqual(found, [{ path: "planted", secret: "it", othersCanRead: true }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("are given to its services, which print them, and to nobody else", async () => {
    const [one, two] = [await open("cart"), await open("tea")];
    preview = await live(KEY, one.headSha);
    await live(OTHER, two.headSha);
    const { url, session } = await given(preview.stack, "at first");
    assert.match(session, /^[\w-]{43}$/);
    await logsIn(url);
    assert.equal((await asked(preview.url ?? "")).text, one.headSha);
    const raw = await readFile(layout(world.instance.dataDir).preview(preview.stack).log("web"), "utf8");
    assert.deepEqual(leaksOn([{ name: "log", text: raw }], new Map([["it", session]])), ["log: it"], "it prints them");
  });

  it("are not in what a failing migration says of them, whoever is told", async () => {
    await world.github.push(1, { "fail.txt": "yes" });
    const stalled = await world.instance.waitFor(KEY, (p) => p.reason === "MigrationFailed", "failed");
    assert.match(stalled.excerpt.join("\n"), /cannot go on with/);
    await world.commented(1, /cannot go on with|Migration/i);
    preview = stalled;
    await staySecret();
    const healed = await world.github.push(1, { "fail.txt": undefined });
    preview = await live(KEY, healed);
  });

  it("let the login of one preview into no other's database", async () => {
    const { stack } = await world.instance.client.find(OTHER);
    const [mine, theirs] = [await given(preview.stack, "before"), await given(stack, "of another")];
    const crossed = new URL(mine.url);
    crossed.pathname = new URL(theirs.url).pathname;
    await assert.rejects(logsIn(crossed.href), /permission denied for database/);
  });

  it("are others after a rotation that no request noticed, and the ones before end", async () => {
    const before = await given(preview.stack, "before");
    const held = new pg.Client({ connectionString: before.url });
    held.on("error", () => undefined);
    await held.connect();
    const asking = askInALoop(() => asked(preview.url ?? ""));
    ending = asking.stop;
    await eventually(() => asking.answers.length > 5);
    await world.github.comment(1, "/preview rotate");
    await world.commented(1, /another database login/);
    const rotated = await eventually(
      async () => {
        const now = await given(preview.stack, "after");
        if (now.url === before.url) throw new Error(JSON.stringify(await world.instance.client.find(KEY)));
        return now;
      },
      { timeoutMs: 60_000, what: "another login" },
    );
    await world.instance.waitFor(KEY, (p) => p.reason === "Healthy", "live again");
    await eventually(() => isRefused(before.url).then(() => true), { what: "the end of the old login" });
    assert.deepEqual(new Set(await asking.stop()), new Set([`200 ${preview.commit}`]));
    assert.notEqual(rotated.session, before.session);
    await logsIn(rotated.url);
    await assert.rejects(held.query("SELECT 1"));
    assert.deepEqual(leaksOn([{ name: "logs", text: await stackling("logs", KEY) }], secrets), []);
  });

  it("end with it, and show nowhere then either", async () => {
    const { url } = await given(preview.stack, "at last");
    await world.github.close(1);
    preview = await world.instance.waitFor(KEY, (p) => p.stage === "Gone", "gone");
    await isRefused(url);
    const { dataDir } = world.instance;
    const { url: admin } = await findServer(dataDir, "previews");
    const roles = await withClient(admin, (client) =>
      client.query("SELECT FROM pg_roles WHERE starts_with(rolname, $1)", [previewDatabaseName(preview.stack)]),
    );
    assert.equal(roles.rowCount, 0);
    assert.deepEqual(await remainsOf({ dataDir, stack: preview.stack }), []);
    await staySecret();
  });
});

/** Only its owner reads these: what runs, what it printed, and what the instance itself is opened by. */
function mayHold({ path }: FileLeak): boolean {
  return /^(previews\/[^/]+\/(services\/[^/]+\/launch\.json|hidden\/\w+\.json|logs\/[^/]+\.log)|instance\.json|passphrase|[\w-]*token)$/.test(
    path,
  );
}

function lineOf({ path, secret, othersCanRead }: FileLeak): string {
  return `${path}: ${secret}${othersCanRead ? ", for others to read" : ""}`;
}

function askInALoop(ask: () => Promise<{ status: number; text: string }>) {
  const answers: string[] = [];
  let stopped = false;
  const loop = (async () => {
    while (!stopped) answers.push(await ask().then(({ status, text }) => `${status} ${text}`, String));
  })();
  return {
    answers,
    stop: async () => {
      stopped = true;
      await loop;
      return answers;
    },
  };
}
