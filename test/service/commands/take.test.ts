/** Comments on a pull request, through the whole of reconcile: forge and engine are replaced at their ports. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../../components/local/database-client.ts";
import { renderComment } from "../../../service/comment/comment.ts";
import type { ReconcileDeps } from "../../../service/reconcile.ts";
import { type MemoryComments, memoryComments } from "../../support/memory-comments.ts";
import { pullRequest } from "../../support/memory-forge.ts";
import { testDatabase } from "../../support/postgres.ts";
import {
  type Bench,
  emptyWorld,
  killedBehind,
  PREVIEW_YAML,
  reconcileBench,
  SHA,
} from "../../support/reconcile-world.ts";

describe("a command in a comment", () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let bench: Bench;
  let comments: MemoryComments;
  let more: Partial<ReconcileDeps>;
  let number = 0;
  before(async () => {
    database = await testDatabase();
    bench = await reconcileBench(database.url);
    comments = memoryComments({ now: () => bench.clock.now });
    more = { commandsOf: () => comments };
  });
  after(async () => {
    await bench.close();
    await database.drop();
  });

  /** Brings a pull request's preview up, to be commanded from then on. */
  const opened = async () => {
    const key = `shop#${++number}`;
    bench.forge.pulls.set(number, pullRequest(number, SHA.a));
    await bench.reconcile(key, more);
    bench.clock.advance(10);
    return { key, number };
  };
  const look = (key: string, further: Partial<ReconcileDeps> = {}) => bench.reconcile(key, { ...more, ...further });
  const answersOf = async (key: string) =>
    ((await bench.preview(key)).intents.commands?.answers ?? []).map(({ said, by, outcome, answer }) =>
      [said, by, outcome, answer].join("; "),
    );
  const noted = async (key: string) =>
    (await bench.store.history(key, 50))
      .filter(({ reason }) => reason === "Command")
      .map(({ message }) => message)
      .reverse();

  it("says that what brings something up waits while all are stopped", async () => {
    const { key, number } = await opened();
    await bench.store.setPause({ at: bench.clock.now, by: "ada" });
    bench.clock.advance(10);
    comments.say(number, "/preview redeploy\n/preview sleep", { author: "ada" });
    await look(key);
    await bench.store.setPause(undefined);
    assert.deepEqual(await answersOf(key), [
      "redeploy; ada; done; the newest commit is built again once previews go on, for all are stopped",
      "sleep; ada; done; it sleeps until somebody visits it, pushes or wakes it",
    ]);
  });

  it("puts it to sleep and wakes it, says so and names who asked", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview sleep");
    await look(key);
    assert.equal((await bench.preview(key)).status.reason, "Asleep");
    bench.clock.advance(10);
    comments.say(number, "/preview wake", { author: "ada" });
    await look(key);
    assert.equal((await bench.preview(key)).status.reason, "Healthy");
    assert.deepEqual(await answersOf(key), [
      "sleep; ada; done; it sleeps until somebody visits it, pushes or wakes it",
      "wake; ada; done; it wakes up",
    ]);
    assert.deepEqual(await noted(key), [
      "`/preview sleep` by @ada: it sleeps until somebody visits it, pushes or wakes it.",
      "`/preview wake` by @ada: it wakes up.",
    ]);
    const { entries } = await bench.store.audit({ key, limit: 10 });
    assert.deepEqual(
      entries.map(({ actor, action, via, outcome }) => [actor, action, via, outcome]),
      [
        ["@ada", "wake", "comment", "done"],
        ["@ada", "sleep", "comment", "done"],
      ],
    );
  });

  it("stands in the audit though the service was killed right after carrying it out", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview keep", { author: "ada" });
    await assert.rejects(look(key, { store: killedBehind(bench.store) }), /killed/);
    assert.equal((await bench.preview(key)).intents.keep, true);
    await look(key);
    const { entries } = await bench.store.audit({ key, limit: 10 });
    assert.deepEqual(
      entries.map(({ actor, action, via, outcome }) => [actor, action, via, outcome]),
      [["@ada", "keep", "comment", "done"]],
    );
  });

  it("shows the last lines of its log, redacted, and which services there are where it is none", async () => {
    const { key, number } = await opened();
    const services = (await bench.preview(key)).status.live?.services ?? [];
    assert.deepEqual(
      services.map(({ name }) => name),
      ["web"],
    );
    const said = ["\u001b[31mlistening\u001b[0m", "got the key hunter2-very-secret", "see postgres://me:pw@db/shop"];
    const world: ReconcileDeps["world"] = {
      ...emptyWorld(new Map()),
      async *logs(_target, _stack, { service = "web", tail }) {
        for (const text of said.slice(-tail)) yield { service, text };
      },
    };
    const resolveSecrets = async () => ({ KEY: "hunter2-very-secret" });
    comments.say(number, "/preview logs wbe\n/preview logs");
    await look(key, { world, resolveSecrets });
    assert.deepEqual(await answersOf(key), [
      "logs wbe; ada; confused; it has no such service; there are `web`",
      "logs; ada; done; its last lines are below",
    ]);
    assert.deepEqual((await bench.preview(key)).intents.commands?.answers?.at(-1)?.lines, [
      "listening",
      "got the key [redacted]",
      "see postgres://[redacted]@db/shop",
    ]);
    assert.deepEqual(await noted(key), []);
    assert.match(
      renderComment(await bench.preview(key)),
      /The last lines of its log[\s\S]*listening\ngot the key \[redacted\]/,
    );
    bench.clock.advance(10);
    comments.say(number, "/preview logs web");
    await look(key, { world, resolveSecrets });
    const shown = (await bench.preview(key)).intents.commands?.answers?.filter(({ lines }) => lines);
    assert.equal(shown?.length, 1, "of a log that was shown before nothing is kept");
    bench.clock.advance(10);
    comments.say(number, "/preview logs");
    const broken: ReconcileDeps["world"] = {
      ...world,
      logs: () => {
        throw new Error("the cluster is away");
      },
    };
    await look(key, { world: broken, resolveSecrets });
    assert.match((await answersOf(key)).at(-1) ?? "", /its log cannot be read now/);
  });

  it("seeds with another scenario, on a new database, and says which there are where it is none", async () => {
    const scenarios = "database: {seed: ./seed, scenarios: [demo, empty, a-long-name-of-a-scenario]}\n";
    bench.forge.files.set("main:preview.yaml", `services: {web: x}\n${scenarios}`);
    const { key, number } = await opened();
    comments.say(number, "/preview seed a-long-name-of-a-scenario\n/preview seed emtpy");
    await look(key);
    const { intents } = await bench.preview(key);
    assert.deepEqual([intents.seeds?.said, intents.generations.database], ["a-long-name-of-a-scenario", 1]);
    assert.deepEqual(await answersOf(key), [
      "seed a-long-name-of-a-scenario; ada; done; its database is made anew and seeded with `a-long-name-of-a-scenario`; what was in it is lost",
      "seed emtpy; ada; confused; there is no scenario `emtpy`; there are `demo`, `empty`, `a-long-name-of-a-scenario`; the nearest is `empty`",
    ]);
    bench.forge.files.set("main:preview.yaml", PREVIEW_YAML);
  });

  it("sets a feature flag and takes that back, and says which there are where it is none", async () => {
    bench.forge.files.set(
      "main:preview.yaml",
      "services: {web: x}\nflags: {beta: false, theme: {default: light, values: [light, dark]}}\n",
    );
    const { key, number } = await opened();
    const ups = bench.stacks.ups.length;
    const flagsOf = async () => (await bench.preview(key)).status.live?.flags;
    comments.say(number, "/preview flag theme=dark\n/preview flag beta=on");
    await look(key);
    assert.deepEqual(await flagsOf(), {
      beta: { default: false, value: true },
      theme: { default: "light", value: "dark", values: ["light", "dark"] },
    });
    assert.equal(bench.stacks.ups.length, ups + 1);
    comments.say(number, "/preview flag theme=blue\n/preview flag thme=dark\n/preview flag theme");
    await look(key);
    assert.deepEqual(await answersOf(key), [
      "flag theme=blue; ada; confused; `theme` is one of `light`, `dark`, not `blue`",
      "flag thme=dark; ada; confused; there is no flag `thme`; the nearest is `theme`",
      "flag theme; ada; confused; it wants a flag and its value: `flag name=value`",
    ]);
    comments.say(number, "/preview flag theme=");
    await look(key);
    assert.deepEqual([(await flagsOf())?.theme?.value, (await flagsOf())?.beta?.value], ["light", true]);
    assert.equal(bench.stacks.ups.length, ups + 2);
    bench.forge.files.set("main:preview.yaml", PREVIEW_YAML);
  });

  it("takes it down until a push, and up again", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview down");
    await look(key);
    assert.equal((await bench.preview(key)).status.goneReason, "Removed");
    for (const verb of ["sleep", "rotate"]) {
      comments.say(number, `/preview ${verb}`);
      await look(key);
      assert.match((await answersOf(key)).at(-1) ?? "", new RegExp(`^${verb}; ada; confused; it is gone`));
    }
    comments.say(number, "/preview up");
    await look(key);
    assert.equal((await bench.preview(key)).status.reason, "Healthy");
    comments.say(number, "/preview up");
    await look(key);
    assert.match((await answersOf(key)).at(-1) ?? "", /it is there already/);
  });

  it("takes it down although a push came just before", async () => {
    const { key, number } = await opened();
    bench.forge.pulls.set(number, pullRequest(number, SHA.b));
    comments.say(number, "/preview down");
    await look(key);
    assert.equal((await bench.preview(key)).status.goneReason, "Removed");
  });

  it("carries out each of several in their order, once", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview redeploy\n/preview reset-db\n/preview redeploy\n/preview rotate");
    comments.say(number, "/preview keep");
    comments.say(number, "/preview keep off\n/preview extend 48h");
    await look(key);
    await look(key);
    const { intents } = await bench.preview(key);
    assert.deepEqual(intents.generations, { deploy: 2, database: 1, seed: 0, secrets: 1 });
    assert.equal(intents.keep, false);
    const extendedTo = new Date(Date.parse(bench.clock.now) + 48 * 3600 * 1000).toISOString();
    assert.equal(intents.extendedTo, extendedTo);
    assert.equal((await noted(key)).length, 7);
    assert.match((await answersOf(key)).at(-1) ?? "", /^extend 48h; ada; done; it stays until 2026-/);
  });

  it("is carried out once when several looks find it at the same time", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview redeploy");
    await Promise.all([look(key), look(key), look(key)]);
    assert.equal((await bench.preview(key)).intents.generations.deploy, 1);
    assert.equal((await noted(key)).length, 1);
  });

  for (const step of ["commands", "record", "lease", "mark", "up", "settle", "announce"] as const) {
    it(`is carried out once by the life after a kill at "${step}"`, async () => {
      const { key, number } = await opened();
      comments.say(number, "/preview redeploy");
      const killed = Promise.withResolvers<void>();
      const run = look(key, {
        onStep: (at) => {
          if (at !== step) return;
          killed.resolve();
          return new Promise<never>(() => {});
        },
      });
      await Promise.race([run, killed.promise]);
      await bench.store.releaseOwnLeases();
      await look(key);
      const { intents, status } = await bench.preview(key);
      assert.equal(intents.generations.deploy, 1);
      assert.equal(status.live?.generations.deploy, 1);
      assert.equal((await noted(key)).length, 1);
      assert.deepEqual(
        intents.commands?.receipts?.map(({ outcome }) => outcome),
        ["done"],
      );
    });
  }

  it("ends an update when it takes the preview down meanwhile", async () => {
    const { key, number } = await opened();
    bench.forge.pulls.set(number, pullRequest(number, SHA.b));
    let wish = () => {};
    bench.stacks.during = async (run, { interrupt }) => {
      if (!run.startsWith("up ")) return;
      comments.say(number, "/preview down");
      wish();
      await new Promise((resolve) => interrupt?.addEventListener("abort", resolve, { once: true }));
    };
    try {
      await look(key, {
        onWish: (_key, listener) => {
          wish = listener;
          return () => {};
        },
      });
    } finally {
      bench.stacks.during = async () => {};
    }
    assert.equal((await bench.preview(key)).status.goneReason, "Removed");
    assert.equal((await noted(key)).length, 1);
  });

  it("of somebody without write access is refused, the author of the pull request's too", async () => {
    const { key, number } = await opened();
    bench.forge.pulls.set(number, pullRequest(number, SHA.a, { author: "mallory" }));
    const id = comments.say(number, "/preview down\n/preview reset-db", { author: "mallory" });
    await look(key);
    const { status, intents } = await bench.preview(key);
    assert.equal(status.stackExists, true);
    assert.deepEqual(intents.generations, { deploy: 0, database: 0, seed: 0, secrets: 0 });
    assert.deepEqual(await answersOf(key), [
      "down; mallory; refused; only who may write to the repository may say that",
    ]);
    assert.deepEqual(intents.commands?.receipts, [{ comment: id, outcome: "refused" }]);
  });

  it("of strangers pushes no answer out but their own", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview keep");
    for (let again = 0; again < 30; again++) comments.say(number, "/preview down", { author: `mallory-${again}` });
    await look(key);
    const answers = await answersOf(key);
    assert.deepEqual(
      answers.map((answer) => answer.split("; ")[1]),
      ["ada", "mallory-29"],
    );
    assert.ok(((await bench.preview(key)).intents.commands?.receipts?.length ?? 0) <= 20);
  });

  it("is not understood, too far or impossible: nothing is done, and the answer says why", async () => {
    const { key, number } = await opened();
    const said = ["explode", "extend foo", "seed demo"].map((text) => `/preview ${text}`);
    comments.say(number, said.join("\n"));
    await look(key);
    const answers = await answersOf(key);
    assert.match(answers[0] ?? "", /^explode; ada; confused; there is no such command; there are `up`/);
    assert.match(answers[1] ?? "", /^extend foo; ada; confused; it wants a time/);
    assert.match(answers[2] ?? "", /^seed demo; ada; confused; `preview.yaml` has no scenarios/);
    assert.deepEqual(
      (await bench.preview(key)).intents.commands?.receipts?.map(({ outcome }) => outcome),
      ["confused"],
    );
    comments.say(number, "/preview extend 200d");
    const lifecycle = { ...bench.deps.config.lifecycle, extendMaxSeconds: 90 * 86_400 };
    await look(key, { config: { ...bench.deps.config, lifecycle } });
    assert.match((await answersOf(key)).at(-1) ?? "", /^extend 200d; ada; confused; it may stay until 2026-/);
    assert.equal((await bench.preview(key)).intents.extendedTo, undefined);
  });

  it("cannot build what the rules refuse, and says which", async () => {
    const key = `shop#${++number}`;
    bench.forge.pulls.set(number, pullRequest(number, SHA.a, { fork: true, trustedAuthor: false }));
    await look(key);
    bench.clock.advance(10);
    comments.say(number, "/preview up\n/preview keep\n/preview status");
    await look(key);
    const answers = await answersOf(key);
    assert.match(answers[0] ?? "", /^up; ada; confused; the head lies in a fork/);
    assert.match(answers[1] ?? "", /^keep; ada; confused; the head lies in a fork/);
    assert.match(answers[2] ?? "", /^status; ada; done; looked at again/);
    assert.equal((await bench.preview(key)).status.stackExists, false);
  });

  it("is answered on a closed pull request, and does nothing there", async () => {
    const { key, number } = await opened();
    bench.forge.pulls.set(number, pullRequest(number, SHA.a, { state: "closed" }));
    comments.say(number, "/preview redeploy\n/preview help");
    await look(key);
    const { status, intents } = await bench.preview(key);
    assert.equal(status.reason, "Gone");
    assert.equal(intents.generations.deploy, 0);
    const answers = await answersOf(key);
    assert.match(answers[0] ?? "", /confused; the pull request is closed/);
    assert.match(answers[1] ?? "", /done; the commands are listed/);
  });

  it("counts as it read when it was first seen", async () => {
    const { key, number } = await opened();
    const harmless = comments.say(number, "looks good");
    const slept = comments.say(number, "/preview keep");
    await look(key);
    comments.edit(harmless, "/preview down");
    comments.edit(slept, "/preview down");
    await look(key);
    const { status, intents } = await bench.preview(key);
    assert.equal(status.reason, "Healthy");
    assert.equal(intents.keep, true);
    assert.equal((await noted(key)).length, 1);
  });

  it("is not carried out again when the store is lost", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview redeploy\n/preview sleep");
    await look(key);
    bench.clock.advance(3600);
    await withClient(database.url, (client) => client.query("truncate preview, history, lease"));
    await look(key);
    await look(key);
    const { intents } = await bench.preview(key);
    assert.equal(intents.asleep, false);
    assert.equal(intents.generations.deploy, 1);
    assert.deepEqual(await noted(key), []);
    comments.say(number, "/preview keep");
    await look(key);
    assert.equal((await bench.preview(key)).intents.keep, true);
  });

  it("waits for a forge that does not answer, and is looked for again by itself", async () => {
    const { key, number } = await opened();
    comments.say(number, "/preview keep");
    comments.outage = "reading the comments: GitHub answered 502";
    const again: string[] = [];
    await look(key, { lookAgain: (asked) => void again.push(asked) });
    assert.equal((await bench.preview(key)).intents.keep, false);
    assert.deepEqual(again, [key]);
    comments.outage = undefined;
    await look(key);
    assert.equal((await bench.preview(key)).intents.keep, true);
  });

  it("costs no write while there is none", async () => {
    const { key } = await opened();
    await look(key);
    const before = (await bench.preview(key)).revision;
    await look(key);
    assert.equal((await bench.preview(key)).revision, before);
  });
});
