/** What is written to GitHub: no more than it lets an installation, the newest first to go, each event once. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Announcement, Forge } from "../../../service/forges/forge.ts";
import { announceOnGithub } from "../../../service/forges/github-announce.ts";
import { createGithubClient, type GithubClient } from "../../../service/forges/github-client.ts";
import { payloadOf } from "../../../service/forges/github-dispatch.ts";
import { createWrites } from "../../../service/forges/github-limit.ts";
import { HeldBack } from "../../../service/forges/held-back.ts";
import { readyEvent } from "../../../service/ready-event.ts";
import { startGithub, type TestGithub } from "../../support/emulate.ts";
import { aPreview } from "../../support/previews.ts";

const SHOP = { name: "shop", path: "acme/shop" };

describe("GitHub's limit of writes", () => {
  const clock = () => {
    let now = 1_000_000;
    return {
      now: () => now,
      pass: (ms: number) => {
        now += ms;
      },
    };
  };
  const taken = (take: () => number) => {
    let count = 0;
    while (count < 1_000 && take() === 0) count++;
    return count;
  };

  it("lets 80 go a minute, 60 of them for what nobody waits for", () => {
    const time = clock();
    const writes = createWrites(true, time);
    assert.equal(
      taken(() => writes.take(false)),
      60,
    );
    assert.equal(writes.take(false), 60_000);
    assert.equal(
      taken(() => writes.take(true)),
      20,
    );
    time.pass(59_999);
    assert.equal(writes.take(true), 1);
    time.pass(1);
    assert.equal(writes.take(false), 0);
  });

  it("lets 500 go an hour, 400 of them for what nobody waits for", () => {
    const time = clock();
    const writes = createWrites(true, time);
    for (let minute = 0; minute < 7; minute++) {
      taken(() => writes.take(false));
      time.pass(60_000);
    }
    assert.equal(writes.lastHour(), 400);
    assert.ok(writes.take(false) > 50 * 60_000);
    for (let minute = 0; minute < 3; minute++) {
      taken(() => writes.take(true));
      time.pass(60_000);
    }
    assert.equal(writes.lastHour(), 500);
    assert.ok(writes.take(true) > 45 * 60_000);
    time.pass(3_600_000);
    assert.deepEqual([writes.take(false), writes.lastHour()], [0, 1]);
  });

  it("holds nothing back at a server that has none", () => {
    const writes = createWrites(false);
    assert.equal(
      taken(() => writes.take(false)),
      1_000,
    );
  });
});

describe("an announcement on GitHub", () => {
  let github: TestGithub;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" }, recording: true });
  });
  after(() => github.stop());

  const announcementOf = (headSha: string, more: Partial<Announcement> = {}): Announcement => ({
    key: "shop#1",
    condition: "Ready",
    reason: "Healthy",
    summary: "It serves.",
    comment: "<!-- stackling:shop#1 -->\nIt is ready.",
    headSha,
    environmentUrl: "https://pr-1-shop.preview.acme.dev",
    logUrl: "https://preview.acme.dev/previews/shop%231",
    ...more,
  });
  const announce = (forge: Forge, number: number, said: Announcement, handles = {}) =>
    forge.announce(SHOP, { number, headSha: said.headSha }, said, handles);

  it("bears everything that is known, and buttons once there is something to redeploy, as a check run", async () => {
    const forge = await github.connect("app");
    const { number, headSha } = await github.open({ gitBranch: "details", files: { "d.txt": "d" } });
    const details = "| | |\n|---|---|\n| Services | web ready |";
    const handles = await announce(forge, number, announcementOf(headSha, { condition: "Reconciling", details }));
    const runs = () => github.requests.filter(({ method, path }) => method !== "GET" && path.includes("/check-runs"));
    assert.deepEqual(JSON.parse(runs().at(-1)?.body ?? "").actions, []);
    await announce(
      forge,
      number,
      announcementOf(headSha, { details, checks: `2 of 2 checks passed${"ä".repeat(70_000)}` }),
      handles,
    );
    const { output, actions } = JSON.parse(runs().at(-1)?.body ?? "");
    assert.ok(output.summary.startsWith(`${details}\n\n2 of 2 checks passed`));
    assert.ok(Buffer.byteLength(output.summary) <= 65_535);
    assert.equal(actions[0].identifier, "redeploy");
    for (const { label, description, identifier } of actions) {
      assert.ok(label.length <= 20 && description.length <= 40 && identifier.length <= 20);
    }
  });

  it("sends an event to workflows once for each outcome of a commit, and none unless it was asked for", async () => {
    const { number, headSha } = await github.open({ gitBranch: "event", files: { "e.txt": "e" } });
    const urls = { web: "https://pr-1-shop.preview.acme.dev" };
    const preview = aPreview({ number, urls, status: { headSha } });
    const event = readyEvent(preview, { pageUrl: "https://preview.acme.dev/previews/shop%231" }) ?? assert.fail();
    const said = announcementOf(headSha, { event });
    await announce(await github.connect("token"), number, said);
    assert.equal(github.apps.dispatched.length, 0);
    const forge = await github.connect("token", { readyEvent: true });
    const first = await announce(forge, number, said);
    assert.equal(first.failed, undefined);
    const again = await announce(forge, number, { ...said, summary: "It still serves." }, first);
    assert.equal(github.apps.dispatched.length, 1);
    await announce(forge, number, { ...said, event: { ...event, event: "failed" } }, again);
    assert.deepEqual(
      github.apps.dispatched.map(({ event_type, client_payload }) => [event_type, client_payload.event]),
      [
        ["stackling", "ready"],
        ["stackling", "failed"],
      ],
    );
    assert.equal(github.apps.dispatched[0]?.client_payload.url, urls.web);
    assert.ok(Object.keys(payloadOf(event)).length <= 10);
  });

  it("is sent once where GitHub takes it and its answer is lost, and found again the next time", async () => {
    const forge = await github.connect("app");
    const { number, headSha } = await github.open({ gitBranch: "lost-answer", files: { "l.txt": "l" } });
    const before = github.requests.length;
    const made = () => github.requests.slice(before).filter(({ method }) => method === "POST");
    const lost = { method: "POST", path: /\/(comments|check-runs|deployments)$/, status: 502, isDone: true };
    const mend = github.fail(lost);
    const first = await announce(forge, number, announcementOf(headSha));
    mend();
    assert.match(first.failed ?? "", /comment .* 502.*check run .* 502.*deployment .* 502/);
    assert.equal(made().filter(({ path }) => lost.path.test(path)).length, 3);
    const second = await announce(forge, number, announcementOf(headSha, { summary: "It serves on." }), first);
    assert.equal(second.failed, undefined);
    assert.equal((await github.comments(number)).length, 1);
    assert.equal((await github.checkRuns(headSha)).length, 1);
    assert.equal(github.records?.deployments().filter(({ sha }) => sha === headSha).length, 1);
  });

  it("sends an event once in each try, also where its answer is lost", async () => {
    const { number, headSha } = await github.open({ gitBranch: "lost-event", files: { "le.txt": "le" } });
    const preview = aPreview({ number, urls: { web: "https://pr-1-shop.preview.acme.dev" }, status: { headSha } });
    const event = readyEvent(preview, { pageUrl: "https://preview.acme.dev" }) ?? assert.fail();
    const forge = await github.connect("token", { readyEvent: true });
    const before = github.apps.dispatched.length;
    const mend = github.fail({ method: "POST", path: /\/dispatches$/, status: 502, isDone: true });
    const { failed } = await announce(forge, number, announcementOf(headSha, { event }));
    mend();
    assert.match(failed ?? "", /event .* 502/);
    assert.equal(github.apps.dispatched.length - before, 1);
  });

  it("of a stage stands on its commit too, with the rights that an App made here has", async () => {
    const forge = await github.connect("app");
    const headSha = await github.repository.head("main");
    const stage = { name: "production", production: true };
    const said = announcementOf(headSha, { key: "shop:production", comment: undefined, stage });
    const handles = await forge.announceStage?.(SHOP, said, {});
    assert.deepEqual([handles?.failed, handles?.checkRefused], [undefined, undefined]);
    assert.deepEqual(
      github.records?.statuses(headSha).map(({ context, state }) => [context, state]),
      [["stackling/shop/production", "success"]],
    );
  });

  it("of an App that may write no checks stands on the commit as a status", async () => {
    const forge = await github.connect("app");
    const { number, headSha } = await github.open({ gitBranch: "no-checks", files: { "n.txt": "n" } });
    const mend = github.fail({ path: /\/check-runs/, status: 403 });
    const handles = await announce(forge, number, announcementOf(headSha));
    mend();
    assert.deepEqual([handles.failed, handles.checkWay], [undefined, "status"]);
    assert.deepEqual(
      github.records?.statuses(headSha).map(({ context, state }) => [context, state]),
      [["stackling/shop", "success"]],
    );
  });

  it("is held back with all its parts when there was too much, and says for how long", async () => {
    const { number, headSha } = await github.open({ gitBranch: "much", files: { "m.txt": "m" } });
    const { client, held } = await heldClient(github);
    const before = github.requests.length;
    const input = { repository: SHOP.path, name: SHOP.name, number, handles: {} };
    const handles = await announceOnGithub({ client }, { ...input, announcement: announcementOf(headSha) });
    assert.deepEqual([handles.heldMs, handles.comment], ["42000", undefined]);
    assert.match(handles.failed ?? "", /held back for 42 s/);
    assert.equal(github.requests.slice(before).filter(({ method }) => method !== "GET").length, 0);
    assert.deepEqual(held, [false]);
    const said = { ...announcementOf(headSha), urgent: true } as const;
    const written = await announceOnGithub({ client }, { ...input, handles, announcement: said });
    assert.deepEqual([written.failed, written.heldMs], [undefined, undefined]);
    assert.equal((await github.comments(number)).length, 1);
  });
});

/** Holds back what nobody waits for, as one whose minute is used up. */
async function heldClient(github: TestGithub): Promise<{ client: GithubClient; held: boolean[] }> {
  const credential = { kind: "token", token: github.token } as const;
  const client = createGithubClient({ baseUrl: github.url, rateLimits: false, credential });
  const held: boolean[] = [];
  const call: GithubClient["call"] = async (one) => {
    if (one.method === undefined || one.method === "GET" || one.urgent) return client.call(one);
    held.push(one.urgent ?? false);
    throw new HeldBack(one.action, 42_000);
  };
  return { client: { ...client, call }, held };
}
