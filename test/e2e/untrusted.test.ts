/** A stranger's pull request on GitHub that means harm, from its opening to what it can do once it is approved. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { layout } from "../../components/local/layout.ts";
import { releaseIds } from "../../components/local/release-files.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { requires } from "../support/requires.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { environmentsOf, remainsOf, whereIs } from "./support/oracle.ts";
import { SPY, type SpyAnswer, spyOn } from "./support/spy-app.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { dial, visitorOf } from "./support/visitor.ts";

const STRIPE_KEY = "sk_live_4711_of_the_operator";
const PASSWORD = "of the door";
const BYPASS = "of-the-test-runner";
const BASE = `
services:
  web:
    command: node server.mjs
    health: /health
    env: { STRIPE_KEY: "\${secrets.STRIPE_KEY}" }
secrets: { STRIPE_KEY: granted, SESSION_KEY: generated }
database: { migrate: node migrate.mjs }
`;
/** What a stranger would like to have. */
const GREEDY = BASE.replace("node server.mjs", "echo taken over; node server.mjs").replace(
  "database:",
  "submodules: true\ndatabase:",
);
const ECHO = `console.log(JSON.stringify(process.env));\nconsole.error(process.env.DATABASE_URL);\n${SPY}`;

describe("a stranger's pull request", requires("engine", "postgres", "root"), () => {
  let world: GithubWorld;
  let evil: { number: number; headSha: string };
  let spy: PreviewView;
  let victim: PreviewView;

  before(async () => {
    world = await prepareGithubWorld({
      files: { ...tinyApp({ text: "main" }), "preview.yaml": BASE },
      environment: { TEST_STRIPE_KEY: STRIPE_KEY, TEST_PASSWORD: PASSWORD, TEST_BYPASS: BYPASS },
    });
    const config = world
      .config()
      .replace("- { path: acme/shop }", "- { path: acme/shop, secrets: { STRIPE_KEY: { env: TEST_STRIPE_KEY } } }");
    const access = "access: { password: { env: TEST_PASSWORD }, bypass: { env: TEST_BYPASS } }\n";
    await world.instance.start({ config: `${access}${config}` });
    const trusted = await world.github.open({ gitBranch: "cart", files: { "text.txt": "cart" } });
    victim = await live(trusted.number, trusted.headSha);
    evil = await world.github.open({
      gitBranch: "evil",
      files: { "server.mjs": ECHO, "preview.yaml": GREEDY },
      fromFork: true,
    });
  });
  after(() => world.remove());

  const live = (number: number, headSha: string) =>
    world.instance.waitFor(
      `shop#${number}`,
      (p) => p.reason === "Healthy" && p.commit === headSha,
      `live at ${headSha}`,
    );
  const key = () => `shop#${evil.number}`;
  const spied = <T>(question: Readonly<Record<string, string>>) =>
    spyOn<T>(spy.url ?? "", question, { "x-stackling-bypass": BYPASS });
  const reacted = (comment: number, content: string) =>
    eventually(() => world.github.reactions(comment).join() === content, { what: `the reaction ${content}` });
  const waits = async (headSha: string) => {
    const found = await world.instance.waitFor(key(), (p) => p.awaitsApproval === headSha, "waiting for an approval");
    assert.deepEqual(await remainsOf({ dataDir: world.instance.dataDir, stack: found.stack }), []);
    return found;
  };

  it("waits, and its comment says who may approve which commit, and how", async () => {
    const { reason, url } = await waits(evil.headSha);
    assert.deepEqual([reason, url], ["ApprovalNeeded", undefined]);
    const text = await world.commented(evil.number, /waits for an approval[\s\S]*fork/);
    assert.ok(text.includes(`> /preview approve ${evil.headSha}\n`), text);
    await eventually(() => world.github.records?.statuses(evil.headSha).at(-1)?.state === "pending");
    assert.equal(world.github.records?.deployments().filter(({ sha }) => sha === evil.headSha).length, 0);
  });

  it("is not let in by its own author", async () => {
    await reacted(await world.github.comment(evil.number, `/preview approve ${evil.headSha}`, "outsider"), "-1");
    await waits(evil.headSha);
  });

  it("is not let in by the approval of a commit that it pushed over, nor by a bare one right after", async () => {
    const older = evil.headSha;
    evil = { ...evil, headSha: await world.github.push(evil.number, { "text.txt": "worse" }) };
    await waits(evil.headSha);
    await reacted(await world.github.comment(evil.number, `/preview approve ${older}`), "confused");
    await world.commented(evil.number, /not done, `[0-9a-f]{7}` is not its newest commit/);
    await reacted(await world.github.comment(evil.number, "/preview approve"), "confused");
    await assert.rejects(world.instance.client.act(key(), { action: "approve", sha: older }), {
      reason: "NotApproved",
      message: /is not its newest commit/,
    });
    await waits(evil.headSha);
  });

  it("runs once somebody with write access approved that very commit", async () => {
    await reacted(await world.github.comment(evil.number, `/preview approve ${evil.headSha}`), "+1");
    spy = await live(evil.number, evil.headSha);
    assert.deepEqual([spy.untrusted?.isolated, spy.untrusted?.approved?.by], [true, "@acme"]);
    await world.commented(evil.number, /Not trusted \| approved by @\u200bacme on .*without the operator's secrets/);
  });

  it("has none of the operator's secrets, which the trusted one beside it has", async () => {
    const { dataDir } = world.instance;
    assert.match((await environmentsOf({ dataDir, stack: victim.stack })).join(), new RegExp(STRIPE_KEY));
    const environment = await spied<Record<string, string>>({ what: "environment" });
    assert.equal(environment.STRIPE_KEY, undefined);
    assert.ok(environment.DATABASE_URL && !environment.DATABASE_URL.includes(victim.database ?? "-"));
    assert.doesNotMatch(JSON.stringify(environment), new RegExp(STRIPE_KEY));
    const state = await readFile(`${layout(dataDir).state}/.pulumi/stacks/stackling/${spy.stack}.json`, "utf8");
    assert.doesNotMatch(state, /STRIPE_KEY/);
    const secrets = layout(dataDir).preview(spy.stack).folder;
    assert.deepEqual(
      (await whereIs(STRIPE_KEY, dataDir)).filter((path) => path.startsWith(secrets)),
      [],
    );
  });

  it("runs by the base branch's preview.yaml, whatever its own says", async () => {
    const { dataDir } = world.instance;
    const [release = ""] = await releaseIds(dataDir, spy.stack);
    const launch = JSON.parse(await readFile(layout(dataDir).preview(spy.stack).release(release).launch, "utf8"));
    assert.equal(launch.command, "node server.mjs");
  });

  it("shows nobody its database's password by echoing it", async () => {
    const { DATABASE_URL = "" } = await spied<Record<string, string>>({ what: "environment" });
    const password = decodeURIComponent(new URL(DATABASE_URL).password);
    const lines: string[] = [];
    for await (const { text } of world.instance.client.logs(key(), { tail: 100, follow: false })) lines.push(text);
    assert.ok(
      lines.some((line) => line.includes("STACKLING_COMMIT")),
      "its echo is among the lines",
    );
    assert.ok(password.length > 8 && !lines.join("\n").includes(password));
    const shown = [await world.instance.client.find(key()), await world.comment(evil.number)];
    assert.ok(!JSON.stringify(shown).includes(password));
  });

  it("listens on no port of the service or of another preview", async () => {
    const { dataDir, port } = world.instance;
    const [environment = ""] = await environmentsOf({ dataDir, stack: victim.stack });
    const theirs = /(?:^|\0)PORT=(\d+)/.exec(environment)?.[1] ?? "";
    for (const taken of [String(port), theirs]) {
      const { error } = await spied<SpyAnswer>({ what: "listen", port: taken });
      assert.equal(error, "EADDRINUSE", taken);
    }
  });

  it("comes to nobody's API and to no other preview by what it says of its host", async () => {
    const { port } = world.instance;
    const [home, own] = [`localhost:${port}`, new URL(spy.url ?? "").host];
    const path = "/api/v1/previews";
    const tricks = [
      `GET ${path} HTTP/1.1\r\nHost: ${own}\r\nX-Forwarded-Host: ${home}\r\nForwarded: host=${home}`,
      `GET http://${home}${path} HTTP/1.1\r\nHost: ${own}`,
      `GET ${path} HTTP/1.1\r\nHost: ${home}\r\nHost: ${own}`,
      `GET ${path} HTTP/1.1\r\nHost: ${own}\r\nHost: ${home}`,
      `GET ${path} HTTP/1.1\r\nHost: ${home}@${own}`,
      `GET ${path} HTTP/1.1\r\nHost: ${own}/../${home}`,
      `GET ${path} HTTP/1.1\r\nHost: LOCALHOST.:${port}`,
      `GET ${path} HTTP/1.1\r\nHost: [::1]:${port}`,
      `GET /../..${path} HTTP/1.1\r\nHost: ${own}`,
      `GET ${path} HTTP/1.0`,
    ];
    for (const trick of tricks) {
      const answer = await raw(port, `${trick}\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 \d{3} /, trick);
      assert.doesNotMatch(answer, /"stack"|shop#\d|\bcart\b/, trick);
    }
  });

  it("gets in to no other preview by what opens its own", async () => {
    const [its, theirs] = [new URL(spy.url ?? ""), new URL(victim.url ?? "")];
    const { port } = world.instance;
    const open = { door: "password", answer: PASSWORD, to: "/" };
    const opened = await visitorOf(its.href).post("/.stackling/door", open);
    const cookie = (opened.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";
    const { token } = await world.instance.client.share(key(), {});
    const statusOf = async ({ host }: URL, headers: Readonly<Record<string, string>>) =>
      (await dial(port, { path: "/", headers: { host, ...headers } })).status;
    const ways: readonly Record<string, string>[] = [
      { cookie },
      { "x-stackling-bypass": token },
      { cookie: `stackling-bypass=${token}` },
    ];
    for (const headers of ways) {
      assert.equal(await statusOf(its, headers), 200, JSON.stringify(headers));
      assert.equal(await statusOf(theirs, headers), 401, JSON.stringify(headers));
      // Nor by a page of its own that sends the visitor's cookie of there.
      assert.equal(await statusOf(theirs, { ...headers, origin: its.origin }), 403);
    }
    assert.equal(await statusOf(its, {}), 401);
  });

  it("asks again for its next commit, and goes on serving the approved one meanwhile", async () => {
    const approved = evil.headSha;
    const headSha = await world.github.push(evil.number, { "text.txt": "worst" });
    const found = await world.instance.waitFor(key(), (p) => p.awaitsApproval === headSha, "waiting again");
    assert.equal(found.commit, approved);
    assert.ok(await spied({ what: "environment" }));
    const deployment = () => world.github.records?.deployments().find(({ sha }) => sha === approved);
    assert.equal(deployment()?.states.at(-1), "success");
    await world.instance.client.act(key(), { action: "approve", sha: headSha });
    await live(evil.number, headSha);
  });

  it("leaves nothing when it is closed", async () => {
    await world.github.close(evil.number);
    const { stack } = await world.instance.waitFor(key(), (p) => p.stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: world.instance.dataDir, stack }), []);
  });
});

/** What comes back on a connection of its own, as it came. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    socket.on("error", reject).on("close", () => resolve(text));
  });
}
