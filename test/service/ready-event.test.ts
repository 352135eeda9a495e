import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readyEvent, readyMark } from "../../service/ready-event.ts";
import type { PreviewStatus } from "../../service/status.ts";
import { aPreview, COMMIT } from "../support/previews.ts";

const URLS = { web: "https://pr-42-shop.preview.acme.dev", api: "https://pr-42-api-shop.preview.acme.dev" };
const NEWER = "89abcdef0123456789abcdef0123456789abcdef";
const OTHER = "a".repeat(40);
const pageUrl = "https://preview.acme.dev/previews/shop%2342";

const eventOf = (status: Partial<PreviewStatus>, urls: Readonly<Record<string, string>> | undefined = URLS) =>
  readyEvent(aPreview({ ...(urls ? { urls } : {}), status }), { pageUrl });

/** With services of the default branch of one repository, and of that head of a pull request of another. */
function linked(commit: string, status: Partial<PreviewStatus> = {}) {
  const preview = aPreview({ urls: URLS });
  assert.ok(preview.status.live);
  const source = { repository: "https://forge.example/acme/api.git", submodules: false, lfs: false };
  const sources = {
    api: { ...source, name: "api", commit, number: 7, install: [], build: [] },
    mail: { ...source, name: "mail", commit: NEWER, install: [], build: [] },
  };
  const live = { ...preview.status.live, sources };
  return readyEvent({ ...preview, status: { ...preview.status, live, ...status } }, { pageUrl });
}

describe("the ready event", () => {
  it("says what serves, where, and since when", () => {
    assert.deepEqual(eventOf({}), {
      event: "ready",
      key: "shop#42",
      repository: "shop",
      number: 42,
      gitBranch: "feature-42",
      commit: COMMIT,
      url: URLS.web,
      urls: URLS,
      condition: "Ready",
      reason: "Healthy",
      message: "Live at 0123456.",
      at: "2026-11-21T10:00:00.000Z",
      pullRequestUrl: "https://forge.example/acme/shop/pull/42",
      pageUrl,
    });
  });

  it("names the commit that failed, beside the addresses of the one that goes on serving", () => {
    const failed = eventOf({ condition: "Stalled", reason: "BuildFailed", headSha: NEWER });
    assert.equal(failed?.event, "failed");
    assert.equal(failed?.commit, NEWER);
    assert.equal(failed?.url, URLS.web);
  });

  it("tells the end", () => {
    const at = "2026-11-22T10:00:00.000Z";
    const gone = eventOf({ condition: "Ready", reason: "Gone", live: undefined, goneAt: at });
    assert.deepEqual([gone?.event, gone?.condition, gone?.at, gone?.urls], ["gone", "Gone", at, {}]);
  });

  it("is silent while it is built or asleep, waits for a person, or an outage holds it back", () => {
    const silent: readonly Partial<PreviewStatus>[] = [
      { condition: "Reconciling", reason: "Updating" },
      { condition: "Ready", reason: "Asleep", awake: false },
      { condition: "Ready", reason: "Unreachable" },
      { condition: "Ready", reason: "Paused" },
      ...["ApprovalNeeded", "Blocked", "StackLocked", "StoreUnavailable", "DiskFull", "DestroyFailed"].map(
        (reason) => ({ condition: "Stalled" as const, reason }),
      ),
    ];
    for (const status of silent) assert.equal(eventOf(status), undefined, status.reason);
  });

  it("names the heads of linked pull requests: those that serve, and those that nothing came of", () => {
    const served = linked(OTHER);
    assert.deepEqual(served?.linked, { "api#7": OTHER });
    const links = [
      { said: "acme/api#7", key: "api#7", headSha: NEWER },
      { said: "acme/web#3", key: "web#3", headSha: OTHER, problem: "It cannot be read now." },
    ];
    assert.deepEqual(linked(OTHER, { links })?.linked, { "api#7": OTHER });
    const failed = { condition: "Stalled", reason: "BuildFailed", links } as const;
    assert.deepEqual(linked(OTHER, failed)?.linked, { "api#7": NEWER });
    const gone = { reason: "Gone", live: undefined, goneAt: "2026-11-22T10:00:00.000Z", links };
    assert.equal(linked(OTHER, gone)?.linked, undefined);
  });

  it("has another mark where a linked pull request was pushed to, and where it is linked no more", () => {
    const links = (headSha: string) => [{ said: "acme/api#7", key: "api#7", headSha }];
    const failed = (headSha: string) =>
      linked(OTHER, { condition: "Stalled", reason: "BuildFailed", links: links(headSha) });
    const marks = [linked(OTHER), linked(NEWER), eventOf({}), failed(OTHER), failed(NEWER)].map(
      (event) => event && readyMark(event),
    );
    assert.equal(new Set(marks).size, 5);
    const others = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, OTHER]));
    const mark = (keys: readonly string[]) => readyMark({ event: "ready", commit: COMMIT, linked: others(keys) });
    assert.equal(mark(["api#7", "web#3"]), mark(["web#3", "api#7"]));
  });

  it("has another mark for another outcome or commit, and the same for the same one after a sleep", () => {
    const marks = [
      eventOf({}),
      eventOf({ condition: "Stalled", reason: "BuildFailed", headSha: NEWER }),
      eventOf({ condition: "Ready", reason: "Gone", goneAt: "2026-11-22T10:00:00.000Z" }),
    ].map((event) => event && readyMark(event));
    assert.equal(new Set(marks).size, 3);
    const woken = eventOf({ since: "2026-11-23T10:00:00.000Z" });
    assert.equal(woken && readyMark(woken), marks[0]);
  });
});
