/** A pull request's life on a GitHub that answers, fails, forgets to call and is called by nobody. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { withClient } from "../../components/local/database-client.ts";
import { type Collected, type Collector, startCollector } from "../support/collector.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { environmentsOf, remainsOf, whereIs } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";

const APP = tinyApp({ text: "main" });

describe("a pull request on GitHub", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  let collector: Collector;
  const stacks = new Map<number, string>();
  before(async () => {
    collector = await startCollector();
    world = await prepareGithubWorld({ files: APP, environment: collector.environment });
    await world.instance.start();
  });
  after(async () => {
    await world.remove();
    await collector.close();
  });

  const live = async (number: number, headSha: string) => {
    const preview = await world.instance.waitFor(
      `shop#${number}`,
      (p) => p.reason === "Healthy" && p.commit === headSha,
      `live at ${headSha}`,
    );
    stacks.set(number, preview.stack);
    return preview;
  };
  const serves = async (number: number, text: string) => {
    const { url = "" } = await world.instance.client.find(`shop#${number}`);
    await eventually(
      async () => {
        const page = await world.instance.get(url);
        assert.equal(page.status, 200);
        assert.ok(page.text.startsWith(text), `"${page.text}" begins with "${text}"`);
        return true;
      },
      { what: `${url} serves "${text}"` },
    );
  };
  /** As its services would, by the address that they were given. */
  const inDatabase = async (number: number, query: string) => {
    const [environment = ""] = await environmentsOf({
      dataDir: world.instance.dataDir,
      stack: stacks.get(number) ?? "",
    });
    const url = /(?:^|\0)DATABASE_URL=([^\0]+)/.exec(environment)?.[1] ?? "";
    await withClient(url, (client) => client.query(query));
  };
  const gone = async (number: number) => {
    const { stack } = await world.instance.waitFor(`shop#${number}`, (p) => p.stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: world.instance.dataDir, stack }), []);
  };

  it("is commented on at once and live soon after, with its checks and deployment", async () => {
    const { github, instance } = world;
    const { number, headSha } = await github.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    const { url = "" } = await live(number, headSha);
    await serves(number, `cart ${headSha}`);
    const text = await world.commented(number, /is ready/);
    assert.ok(text.includes(`](${url})`), text);
    const first = github.requests.find(({ method, path }) => method === "POST" && path.endsWith(`/${number}/comments`));
    assert.match(first?.body ?? "", /is being built/);
    await eventually(() => github.records?.statuses(headSha).at(-1)?.state === "success");
    const statuses = github.records?.statuses(headSha) ?? [];
    assert.equal(statuses[0]?.state, "pending");
    assert.deepEqual(new Set(statuses.map(({ context }) => context)), new Set(["stackling/shop"]));
    assert.equal(statuses.at(-1)?.target_url, url);
    const deployment = await eventually(() =>
      github.records?.deployments().find((one) => one.sha === headSha && one.states.at(-1) === "success"),
    );
    assert.deepEqual([deployment.environment, deployment.environmentUrl], [`preview/shop#${number}`, url]);
    assert.equal((await instance.client.find(`shop#${number}`)).pullRequestUrl?.includes("/acme/shop/pull/"), true);
  });

  it("leaves one trace from the delivery to the link, with the engine's own steps in it", async () => {
    const { spans } = collector;
    const told = await eventually(() => spans.find((span) => span.attributes["url.full"] !== undefined), {
      what: "a span of the link",
    });
    const trace = spans.filter(({ traceId }) => traceId === told.traceId);
    const parentOf = (span: Collected) => trace.find(({ spanId }) => spanId === span.parentSpanId);
    const wayTo = (span: Collected | undefined): readonly string[] => {
      const parent = span && parentOf(span);
      return span ? [...(parent ? wayTo(parent) : []), span.name] : [];
    };
    const begin = ["POST /webhooks/:forge", "store delivery", "reconcile"];
    assert.deepEqual(wayTo(told), [...begin, "step announce", "announce"]);
    const made = trace.find(({ name }) => name === "create stackling:local:Service");
    assert.deepEqual(wayTo(made), [...begin, "step up", "pulumi up", "create stackling:local:Service"]);
    for (const step of ["step read", "step source"]) {
      assert.deepEqual(wayTo(trace.find(({ name }) => name === step)), [...begin, step]);
    }
    const asked = trace.filter(({ attributes }) => attributes["server.address"] !== undefined).map(wayTo);
    for (const step of ["step read", "announce"])
      assert.ok(
        asked.some((way) => way.at(-2) === step),
        step,
      );
    const root = trace.filter(({ parentSpanId }) => !parentSpanId);
    assert.deepEqual(
      root.map(({ kind, attributes }) => [kind, attributes["stackling.delivery.event"]]),
      [[2, "pull_request"]],
    );
    assert.equal(told.resource["service.name"], "stackling");
    const text = JSON.stringify(spans);
    for (const secret of [world.github.token, world.github.webhookSecret, world.github.app.privateKey.slice(40, 80)]) {
      assert.ok(!text.includes(secret));
    }
  });

  it("tells its services what their traces and errors are to be named by, and nothing of its own collector", async () => {
    const [environment = ""] = await environmentsOf({
      dataDir: world.instance.dataDir,
      stack: stacks.get(1) ?? "",
    });
    const { commit } = await world.instance.client.find("shop#1");
    const known = Object.fromEntries(environment.split("\0").map((one) => one.split(/=(.*)/s)));
    const { OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, SENTRY_ENVIRONMENT, SENTRY_RELEASE } = known;
    assert.deepEqual([OTEL_SERVICE_NAME, SENTRY_ENVIRONMENT, SENTRY_RELEASE], ["web", "pr-1", commit]);
    assert.ok(OTEL_RESOURCE_ATTRIBUTES.startsWith("deployment.environment.name=pr-1,"), OTEL_RESOURCE_ATTRIBUTES);
    assert.ok(!environment.includes(collector.url));
  });

  it("serves what was pushed and says so in the same comment", async () => {
    const { github } = world;
    const headSha = await github.push(1, { "text.txt": "basket" });
    await live(1, headSha);
    await serves(1, `basket ${headSha}`);
    await world.commented(1, new RegExp(`is ready[\\s\\S]*${headSha.slice(0, 7)}`));
    const posts = github.requests.filter(({ method, path }) => method === "POST" && path.endsWith("/1/comments"));
    assert.equal(posts.length, 1);
    const states = () =>
      github.records?.deployments().map(({ sha, states }) => [sha === headSha, states.at(-1)].join(" "));
    await eventually(() => states()?.join(", ") === "false inactive, true success");
  });

  it("notes a change of preview.yaml, which takes effect after the merge", async () => {
    const changed = APP["preview.yaml"]?.replace("node server.mjs", "sh -c 'exit 1'") ?? "";
    const headSha = await world.github.push(1, { "preview.yaml": changed, "text.txt": "trolley" });
    await live(1, headSha);
    await serves(1, `trolley ${headSha}`);
    await world.commented(1, /changes `preview\.yaml`[\s\S]*after the merge/);
  });

  it("runs nothing of a fork and says why", async () => {
    const { number, headSha } = await world.github.open({
      gitBranch: "evil",
      files: { "text.txt": "evil" },
      fromFork: true,
    });
    const { stack } = await world.instance.waitFor(`shop#${number}`, (p) => p.reason === "ApprovalNeeded", "blocked");
    await world.commented(number, /waits for an approval[\s\S]*fork/);
    assert.deepEqual(await remainsOf({ dataDir: world.instance.dataDir, stack }), []);
    await eventually(() => world.github.records?.statuses(headSha).at(-1)?.state === "pending");
    assert.equal(world.github.records?.deployments().filter((one) => one.sha === headSha).length, 0);
    await world.github.close(number);
  });

  it("shows every problem of a broken preview.yaml while the old version serves, and heals with it", async () => {
    const { github } = world;
    const before = await world.instance.client.find("shop#1");
    const broken = "services:\n  web:\n    comand: node server.mjs\n    health: 7\n";
    await github.pushBranch("main", { "preview.yaml": broken });
    const headSha = await github.push(1, { "text.txt": "pram" });
    const stalled = await world.instance.waitFor("shop#1", (p) => p.reason === "SpecInvalid", "stalled");
    assert.equal(stalled.condition, "Stalled");
    const text = await world.commented(1, /invalid `preview\.yaml`/);
    assert.match(text, /preview\.yaml:3: .*comand/);
    assert.match(text, /preview\.yaml:4: .*health/);
    assert.match(text, /last good version goes on serving/i);
    await serves(1, `trolley ${before.commit}`);
    await eventually(() => github.records?.statuses(headSha).at(-1)?.state === "failure");
    await github.pushBranch("main", { "preview.yaml": APP["preview.yaml"] });
    await live(1, headSha);
    await serves(1, `pram ${headSha}`);
  });

  it("is destroyed by no answer of a broken forge, and heals by itself", async () => {
    const { github, instance } = world;
    // Those that are broken as a whole are chaos/forge's.
    const faults = [{ status: 200, body: "" }, { status: 200, body: '{"number":1,"state":"closed"}' }, { status: 0 }];
    const pulls: { number: number; headSha: string }[] = [];
    for (const index of faults.keys()) {
      pulls.push(await github.open({ gitBranch: `broken-${index}`, files: { "text.txt": `broken-${index}` } }));
    }
    await Promise.all(pulls.map(({ number, headSha }) => live(number, headSha)));
    const mends = pulls.map(({ number }, index) => {
      const fault = faults[index] ?? { status: 0 };
      return github.fail({ path: new RegExp(`/pulls/${number}$`), ...fault });
    });
    mends.push(github.fail({ path: /\/pulls\?/, status: 200, body: "[]" }));
    for (const { number } of pulls) await instance.client.look(`shop#${number}`);
    for (const { number } of pulls.slice(0, -1)) {
      const shown = await instance.waitFor(`shop#${number}`, (p) => p.reason === "Unreachable", "unreachable");
      assert.equal(shown.condition, "Ready");
    }
    for (const [index, { number }] of pulls.entries()) await serves(number, `broken-${index}`);
    for (const mend of mends) mend();
    await Promise.all(pulls.map(({ number, headSha }) => live(number, headSha)));
    for (const [index, { number }] of pulls.entries()) await serves(number, `broken-${index}`);
    for (const { number } of pulls) await github.close(number);
    for (const { number } of pulls) await gone(number);
  });

  it("does what somebody with write access says in a comment, and nothing for anybody else", async () => {
    const { github, instance } = world;
    const reacted = (comment: number, content: string) =>
      eventually(() => github.reactions(comment).join() === content);
    const refused = await github.comment(1, "/preview down", "outsider");
    await reacted(refused, "-1");
    await world.commented(1, /`\/preview down` by @\u200bmallory: not done/);
    const slept = await github.comment(1, "Until tomorrow.\r\n\r\n/preview sleep");
    await instance.waitFor("shop#1", (p) => p.reason === "Asleep", "asleep");
    await reacted(slept, "+1");
    await world.commented(1, /is asleep[\s\S]*`\/preview sleep` by @\u200bacme: it sleeps/);
    await github.comment(1, "/preview wake");
    await instance.waitFor("shop#1", (p) => p.reason === "Healthy", "awake");
    await serves(1, "pram");
    const confused = await github.comment(1, "/preview extend foo");
    await reacted(confused, "confused");
    const asked = await github.comment(1, "/preview extend 48h\n/preview keep");
    const { extendedTo = "" } = await instance.waitFor("shop#1", (p) => p.kept, "kept");
    await reacted(asked, "+1");
    assert.ok(extendedTo > new Date(Date.now() + 47 * 3_600_000).toISOString());
    const text = await world.commented(
      1,
      /`\/preview extend 48h` by .*: it stays until .* UTC at least\n- `\/preview keep`/,
    );
    assert.match(text, /`\/preview extend foo` by .*: not done, it wants a time/);
    // What `stackling show` prints.
    assert.match((await instance.client.find("shop#1")).comment ?? "", /`\/preview keep` by .*acme/);
    const { history } = (await instance.ask(`/previews/${encodeURIComponent("shop#1")}/history`)) as {
      history: { reason: string; message: string }[];
    };
    assert.equal(history.filter(({ reason }) => reason === "Command").length, 6);
    assert.ok(history.some(({ message }) => /^`\/preview extend 48h` by @acme: it stays/.test(message)));
    await github.comment(1, "/preview keep off");
    await instance.waitFor("shop#1", (p) => !p.kept, "kept no longer");
  });

  it("shows the credential nowhere", async () => {
    const { github, instance } = world;
    const key = github.app.privateKey.split("\n")[3] ?? "";
    const secrets = [github.token, github.webhookSecret, key];
    assert.ok(secrets.every((secret) => secret.length > 8));
    const { client, dataDir } = instance;
    const environments = await environmentsOf({ dataDir, stack: stacks.get(1) ?? "" });
    assert.ok(environments.length > 0);
    const answers = [
      await client.list({ gone: true }),
      await client.find("shop#1"),
      await client.doctor(),
      await Promise.all([1, 2].map((number) => github.comments(number))),
      github.records?.deployments(),
      environments,
    ];
    for (const secret of secrets) {
      assert.ok(!JSON.stringify(answers).includes(JSON.stringify(secret).slice(1, -1)));
      assert.deepEqual(await whereIs(secret, dataDir), []);
    }
  });

  it("is built again when its check is asked for again, once for each time", async () => {
    const { github, instance } = world;
    const { commit: headSha = "" } = await instance.client.find("shop#1");
    const states = () => github.records?.statuses(headSha).map(({ state }) => state) ?? [];
    const before = states().length;
    const [run, sender] = [{ external_id: "shop#1", pull_requests: [] }, { login: "acme" }];
    await github.deliver("check_run", { action: "rerequested", check_run: run, sender });
    await eventually(() => states().slice(before).join().endsWith("pending,success"), { timeoutMs: 60_000 });
    await live(1, headSha);
  });

  it("goes back to the commit before on a maintainer's word, not on an outsider's, until the next push", async () => {
    const { github, instance } = world;
    const { commit: headSha = "" } = await instance.client.find("shop#1");
    const refused = await github.comment(1, "/preview rollback", "outsider");
    await eventually(() => github.reactions(refused).join() === "-1");
    const done = await github.comment(1, "/preview rollback");
    await eventually(() => github.reactions(done).join() === "+1");
    await serves(1, "trolley");
    await world.commented(1, /`\/preview rollback` by @\u200bacme: (?!not done)/);
    // Nothing was said of the head, which no merge may count on.
    await eventually(() => github.records?.statuses(headSha).at(-1)?.state === "pending");
  });

  it("serves what is pushed by force, though its repository forgets the commit that was served before", async () => {
    const { github } = world;
    const { commit = "" } = await world.instance.client.find("shop#1");
    await github.repository.git("cat-file", "-e", commit);
    const headSha = await github.forcePush(1, { "text.txt": "pram by force" });
    await assert.rejects(github.repository.git("cat-file", "-e", commit));
    await live(1, headSha);
    await serves(1, `pram by force ${headSha}`);
  });

  it("begins anew, with a database of its own, when it is opened again", async () => {
    const { github, instance } = world;
    const before = await instance.client.find("shop#1");
    await inDatabase(1, "create table mark (id integer)");
    await inDatabase(1, "select 1 from mark");
    await github.close(1);
    await gone(1);
    await github.reopen(1);
    const again = await live(1, before.commit ?? "");
    await serves(1, "pram by force");
    await assert.rejects(inDatabase(1, "select 1 from mark"), /"mark" does not exist/);
    assert.ok(again.createdAt > before.createdAt);
    const { receipts } = (await instance.ask(`/previews/${encodeURIComponent("shop#1")}/history`)) as {
      receipts: { reason: string }[];
    };
    assert.deepEqual(
      receipts.map(({ reason }) => reason),
      ["Closed"],
    );
    await world.commented(1, /is ready/);
  });

  it("goes on when its repository is renamed, by deliveries that bear the new name", async () => {
    const { github, instance } = world;
    await github.rename("store");
    const headSha = await github.push(1, { "text.txt": "pram in the store" });
    await live(1, headSha);
    await serves(1, `pram in the store ${headSha}`);
    await world.commented(1, new RegExp(`is ready[\\s\\S]*${headSha.slice(0, 7)}`));
    const { findings } = await instance.client.doctor();
    const said = findings.find(({ what }) => what.includes('is called "acme/store" now'));
    assert.match(said?.remedy ?? "", /`path: acme\/store` with `name: shop`/);
  });

  it("is gone after the start when it was closed while the service was down and the webhook was lost", async () => {
    const { github, instance, config } = world;
    const closing = await github.open({ gitBranch: "down", files: { "text.txt": "down" } });
    await live(closing.number, closing.headSha);
    await instance.stop();
    await github.close(closing.number);
    await instance.start({ config: config({ credential: "app", webhooks: false, resync: "1s" }) });
    await gone(closing.number);
    await serves(1, "pram");
  });

  it("comes, follows and goes without a single webhook, as an App", async () => {
    const { github } = world;
    const { number, headSha } = await github.open({ gitBranch: "silent", files: { "text.txt": "silent" } });
    await live(number, headSha);
    await serves(number, `silent ${headSha}`);
    await eventually(async () => (await github.checkRuns(headSha))[0]?.conclusion === "success");
    const pushed = await github.push(number, { "text.txt": "mute" });
    await live(number, pushed);
    await serves(number, `mute ${pushed}`);
    const comment = await github.comment(number, "/preview keep");
    await world.instance.waitFor(`shop#${number}`, (p) => p.kept, "kept");
    await eventually(() => github.reactions(comment).join() === "+1");
    await github.close(number);
    await gone(number);
    await world.commented(number, /is gone/);
  });

  it("leaves nothing when it is closed, and says so", async () => {
    await world.github.close(1);
    await gone(1);
    const text = await world.commented(1, /is gone/);
    assert.match(text, /closed/i);
    await eventually(() => world.github.records?.deployments().every(({ states }) => states.at(-1) === "inactive"));
  });
});
