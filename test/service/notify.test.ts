import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import { createForgeSink } from "../../service/announce.ts";
import { createComments } from "../../service/comments.ts";
import type { Verbosity } from "../../service/config/comment-schema.ts";
import type { Forge, RepositoryRef } from "../../service/forges/forge.ts";
import { createNotifier, type Outcome, type Sink } from "../../service/notify.ts";
import type { Preview, PreviewStatus } from "../../service/status.ts";
import { startGithub, type TestGithub } from "../support/emulate.ts";
import { eventually } from "../support/eventually.ts";
import { aPreview } from "../support/previews.ts";

const URLS = { web: "https://pr-1-shop.preview.acme.dev" };
const REPOSITORY: RepositoryRef = { name: "shop", path: "acme/shop" };

describe("the notifier", () => {
  it("writes the newest of many changes into one comment", () =>
    withGithub(async ({ github, notifier, preview, change }) => {
      await notifier.announce(preview());
      await notifier.settled();
      for (let build = 0; build < 20; build++) await notifier.announce(change({ message: `Step ${build}.` }));
      await notifier.announce(change({ condition: "Ready", reason: "Healthy", message: "Serving." }));
      await notifier.settled();
      const comments = await github.comments(1);
      assert.equal(comments.length, 1);
      assert.match(comments[0]?.body ?? "", /is ready/);
      const writes = github.requests.filter(({ method, path }) => method !== "GET" && path.includes("comments"));
      assert.ok(writes.length <= 3, `${writes.length} writes`);
    }));

  it("writes nothing when nothing changed", () =>
    withGithub(async ({ github, notifier, preview }) => {
      await notifier.announce(preview());
      await notifier.settled();
      const before = github.requests.filter(({ method }) => method !== "GET").length;
      for (let again = 0; again < 3; again++) {
        await notifier.announce(preview());
        await notifier.settled();
      }
      assert.equal(github.requests.filter(({ method }) => method !== "GET").length, before);
    }));

  it("holds back a change of words alone, and says a new condition at once", () =>
    withGithub(async ({ github, notifier, preview, change }) => {
      await notifier.announce(preview());
      await notifier.settled();
      await notifier.announce(change({ message: "Nearly there." }));
      await notifier.announce(change({ condition: "Stalled", reason: "BuildFailed", message: "It broke." }));
      await notifier.settled();
      assert.match((await github.comments(1))[0]?.body ?? "", /failed while building/);
    }));

  it("does not fail when the forge does, and says it with the next announcement", () =>
    withGithub(async ({ github, notifier, preview, handles }) => {
      const mend = github.fail({ method: "POST", path: /comments/, status: 502 });
      await notifier.announce(preview());
      await notifier.settled();
      assert.match(handles().failed ?? "", /502/);
      assert.deepEqual(await github.comments(1), []);
      mend();
      await notifier.announce(preview());
      await notifier.settled();
      assert.equal((await github.comments(1)).length, 1);
      assert.equal(handles().failed, undefined);
    }));

  it("says it when the forge is back, although nothing more happens to the preview", () =>
    withGithub(
      async ({ github, notifier, preview, handles }) => {
        const mend = github.fail({ method: "POST", path: /comments/, status: 502 });
        await notifier.announce(preview());
        await eventually(() => handles().failed, { what: "the announcement that failed" });
        mend();
        await eventually(async () => (await github.comments(1)).length === 1, { timeoutMs: 10_000 });
      },
      { retryMs: 50 },
    ));

  it("says the newest when a limit that held it back is past, however long that was", async () => {
    const said: string[] = [];
    const answers: Outcome[] = [{ heldMs: 20 }, { heldMs: 20 }, "written"];
    const write: Sink["write"] = async ({ status }) => {
      said.push(status.message);
      return answers.shift() ?? "same";
    };
    const notifier = createNotifier({
      sinks: [{ name: "limited", write }],
      logger: pino({ level: "silent" }),
    });
    const change = (message: string) => aPreview({ status: { message } });
    await notifier.announce(change("one"));
    await notifier.announce(change("two"));
    await eventually(() => answers.length === 0);
    assert.deepEqual(said, ["one", "two", "two"]);
  });

  it("lets what is news through while it holds back, and waits for no limit at the end", async () => {
    const said: string[] = [];
    const write: Sink["write"] = async ({ status }) => {
      said.push(status.reason);
      return { heldMs: 3_600_000 };
    };
    const notifier = createNotifier({
      sinks: [{ name: "limited", write }],
      logger: pino({ level: "silent" }),
    });
    await notifier.announce(aPreview({ status: { reason: "Updating", condition: "Reconciling" } }));
    await eventually(() => said.length === 1);
    await notifier.announce(aPreview({ status: { reason: "BuildFailed", condition: "Stalled" } }));
    await eventually(() => said.length === 2);
    await notifier.settled();
    assert.deepEqual(said.slice(0, 2), ["Updating", "BuildFailed"]);
  });

  it("makes no second comment when it was killed before remembering the first", () =>
    withGithub(async ({ github, notifier, preview, forget }) => {
      await notifier.announce(preview());
      await notifier.settled();
      forget();
      await notifier.announce(preview());
      await notifier.settled();
      assert.equal((await github.comments(1)).length, 1);
    }));

  it("reacts to a command and answers it at once, and reacts again only where that failed", () =>
    withGithub(
      async ({ github, notifier, command, preview }) => {
        await notifier.announce(preview());
        await notifier.settled();
        const first = await github.comment(1, "/preview keep");
        await notifier.announce(command(first));
        await eventually(() => github.reactions(first).join() === "+1");
        await eventually(async () => /`\/preview keep` by/.test((await github.comments(1))[0]?.body ?? ""));
        await eventually(() => preview().intents.commands?.receipts === undefined);
        const second = await github.comment(1, "/preview keep");
        const mend = github.fail({ path: /reactions$/, status: 502 });
        await notifier.announce(command(second));
        await eventually(() =>
          github.requests.some(({ path, status }) => path.endsWith("reactions") && status === 502),
        );
        assert.deepEqual(preview().intents.commands?.receipts, [{ comment: second, outcome: "done" }]);
        mend();
        await eventually(() => github.reactions(second).join() === "+1", { timeoutMs: 10_000 });
      },
      { retryMs: 50 },
    ));

  it("answers a command on a draft, of which it says nothing otherwise", () =>
    withGithub(async ({ github, notifier, change, command }) => {
      await notifier.announce(
        change({ condition: "Stalled", reason: "Blocked", refusedSince: "2026-11-21T10:00:00.000Z" }),
      );
      await notifier.settled();
      assert.equal((await github.comments(1)).length, 0);
      await notifier.announce(command(await github.comment(1, "/preview up")));
      await notifier.settled();
      assert.equal((await github.comments(1)).length, 2);
    }));

  it("writes no comment where comments are switched off", () =>
    withGithub(
      async ({ github, notifier, preview }) => {
        await notifier.announce(preview());
        await notifier.settled();
        assert.deepEqual(await github.comments(1), []);
        assert.equal((await github.checkRuns(preview().status.headSha ?? "")).length, 1);
      },
      { comments: "off" },
    ));

  it("notes that the head changes preview.yaml", () =>
    withGithub(
      async ({ github, notifier, preview }) => {
        await notifier.announce(preview());
        await notifier.settled();
        assert.match((await github.comments(1))[0]?.body ?? "", /takes effect after the merge/);
      },
      { files: { "preview.yaml": "services: {other: {}}\n" } },
    ));
});

interface Scene {
  readonly github: TestGithub;
  readonly notifier: ReturnType<typeof createNotifier>;
  preview(): Preview;
  change(status: Partial<PreviewStatus>): Preview;
  /** Notes that a comment held a command, which is to be reacted to. */
  command(comment: number): Preview;
  handles(): Preview["handles"];
  forget(): void;
}

/** A real GitHub API, an open pull request, and a store of one row. */
async function withGithub(
  act: (scene: Scene) => Promise<void>,
  {
    comments = "full",
    files = { "a.txt": "a\n" },
    retryMs = 60_000,
  }: { comments?: Verbosity; files?: Record<string, string>; retryMs?: number } = {},
): Promise<void> {
  const github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
  try {
    const { headSha } = await github.open({ gitBranch: "feature-1", files });
    const forge: Forge = await github.connect("token");
    let row = aPreview({ number: 1, urls: URLS });
    const change = (status: Partial<PreviewStatus>) => {
      row = { ...row, status: { ...row.status, ...status } };
      return row;
    };
    change({ headSha, condition: "Reconciling", reason: "Provisioning", message: "Building." });
    const logger = pino({ level: "silent" });
    const config = { scheme: "https", domain: "preview.acme.dev" } as const;
    const sink = createForgeSink({
      forgeFor: () => ({ forge, repository: REPOSITORY }),
      store: {
        find: async () => row,
        update: async (_key, changeRow) => {
          row = { ...row, ...changeRow(row) };
          return row;
        },
      },
      comments: createComments({
        store: { current: async () => [row] },
        config: { ...config, comments, repositories: [] },
        logger,
      }),
      config,
      logger,
    });
    const notifier = createNotifier({ sinks: [sink], logger, quietMs: 60_000, retryMs });
    await act({
      github,
      notifier,
      preview: () => row,
      change,
      command: (comment) => {
        const at = "2026-11-21T10:00:00.000Z";
        const answers = [{ at, said: "keep", by: "ada", outcome: "done", answer: "it is kept" }] as const;
        const commands = {
          since: at,
          last: { id: comment, at },
          answers,
          receipts: [{ comment, outcome: "done" }],
        } as const;
        row = { ...row, intents: { ...row.intents, commands } };
        return row;
      },
      handles: () => row.handles,
      forget: () => {
        row = { ...row, handles: {} };
      },
    });
  } finally {
    await github.stop();
  }
}
