import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { commentText, renderComment } from "../../service/comment/comment.ts";
import { renderSummary } from "../../service/comment/summary.ts";
import type { CheckResult } from "../../service/gates/results.ts";
import type { CommandAnswer } from "../../service/intents.ts";
import { REASONS, type Reason } from "../../service/reasons.ts";
import type { Preview, PreviewStatus } from "../../service/status.ts";
import { aPreview } from "../support/previews.ts";

const URLS = { web: "https://pr-42-shop.preview.acme.dev", api: "https://pr-42-api-shop.preview.acme.dev" };
const NEWER = "89abcdef0123456789abcdef0123456789abcdef";

/** What stands beside the reason in each golden file. */
const CASES: Readonly<Record<Reason, Partial<PreviewStatus> & { readonly serves?: boolean }>> = {
  Queued: { condition: "Reconciling", message: "Waiting for its turn." },
  Provisioning: { condition: "Reconciling", message: "Building commit 0123456." },
  Updating: { condition: "Reconciling", message: "Building commit 89abcde.", serves: true, headSha: NEWER },
  Healthy: { condition: "Ready", message: "Serving.", serves: true },
  Checking: { condition: "Reconciling", message: "Smoke tests 2 of 5.", serves: true },
  Asleep: { condition: "Ready", message: "Asleep. The first visit wakes it.", serves: true, awake: false },
  Waking: { condition: "Reconciling", message: "Starting its services.", serves: true },
  Paused: { condition: "Ready", message: "All previews are stopped.", serves: true, awake: false },
  Destroying: { condition: "Reconciling", message: "Removing everything it owns.", serves: true },
  Gone: { condition: "Ready", message: "The pull request was closed. Nothing is left." },
  Unreachable: { condition: "Ready", message: 'reading "acme/shop": GitHub answered 502', serves: true },
  NotConfigured: { condition: "Stalled", message: "The repository is not in the configuration." },
  Blocked: { condition: "Stalled", message: 'It has the label "no-preview".' },
  ApprovalNeeded: {
    condition: "Stalled",
    message: "The head lies in a fork. Nothing of commit `89abcde` runs until someone with write access approves it.",
    serves: true,
    headSha: NEWER,
  },
  OverBudget: {
    condition: "Stalled",
    message:
      'The budget "team" of shop ($100.00 a month) is used to 100 % or more. No new previews are made; what is there stays. It goes on by itself on 2026-12-01; before that an admin lifts it: `stackling budget lift team --of shop --for 48h`, or the page of costs.',
  },
  NothingPromoted: { condition: "Stalled", message: "Nothing was promoted to it yet." },
  SpecInvalid: {
    condition: "Stalled",
    message: "preview.yaml has 2 problems.",
    excerpt: ["preview.yaml:3: services.web.port: must be a number", 'preview.yaml:7: unknown key "comand"'],
    serves: true,
  },
  WaitingForImage: {
    condition: "Reconciling",
    message: `Waiting for image "ghcr.io/acme/shop:${NEWER}", since 09:59, until 10:14 UTC.`,
    serves: true,
    headSha: NEWER,
  },
  ImageNotFound: {
    condition: "Stalled",
    message: `Image "ghcr.io/acme/shop:${NEWER}" was not there within 15 min.`,
    serves: true,
    headSha: NEWER,
  },
  ImageUnsigned: {
    condition: "Stalled",
    message: `Image "ghcr.io/acme/shop:${NEWER}" was not signed within 15 min: it must be signed by the key in "cosign.pub", and is not signed.`,
    serves: true,
    headSha: NEWER,
  },
  TargetChanged: { condition: "Stalled", message: 'It was built on the target "local".', serves: true },
  CheckoutFailed: {
    condition: "Stalled",
    message: 'fetching "0123456": the remote hung up',
    excerpt: ["fatal: early EOF"],
  },
  SmokeTestFailed: {
    condition: "Stalled",
    message:
      'Smoke test "GET /health": it answered 500, not 200–399. Commit `0123456` serves in place of `89abcde`. A push tries again.',
    serves: true,
    headSha: NEWER,
  },
  GateFailed: {
    condition: "Stalled",
    message:
      'Gate "npm run check": running the gate "npm run check": it exited with code 1. Commit `0123456` serves on. A push tries again.',
    excerpt: ["2 of 40 links are broken"],
    serves: true,
  },
  InstallFailed: { condition: "Stalled", message: "`npm ci` exited with 1", excerpt: ["npm ERR! code ERESOLVE"] },
  BuildFailed: {
    condition: "Stalled",
    message: "`npm run build` exited with 2 <b>bold</b> | @ada see #1",
    excerpt: ["src/cart.ts(3,1): error TS2304", "```", "````text", "@everyone | <script>alert(1)</script>"],
    serves: true,
    headSha: NEWER,
  },
  MigrationFailed: {
    condition: "Stalled",
    message: 'migration "002-cart.sql" failed',
    excerpt: ['relation "cart" exists'],
  },
  SeedFailed: { condition: "Stalled", message: "seed failed", excerpt: ["duplicate key"] },
  StartFailed: { condition: "Stalled", message: "web exited with 1", excerpt: ["Error: cannot find module"] },
  PortNotOpen: { condition: "Stalled", message: "web did not listen on 3000 within 60 s" },
  HealthCheckFailed: { condition: "Stalled", message: "GET /health answered 500" },
  DatabaseFailed: { condition: "Stalled", message: 'creating database branch "shop_pr_42": no space left' },
  ImagePullFailed: {
    condition: "Stalled",
    message: 'starting service "web": image "ghcr.io/acme/shop@sha256:1f" cannot be pulled: not found',
    serves: true,
  },
  QuotaExceeded: { condition: "Stalled", message: 'starting service "web": the preview\'s quota is full' },
  Unschedulable: {
    condition: "Stalled",
    message: 'starting service "web": no node takes its pod: 0/3 nodes are available',
  },
  CapacityUnavailable: { condition: "Stalled", message: 'starting service "web": no spot capacity' },
  TargetUnreachable: {
    condition: "Stalled",
    message: 'taking namespace "preview-shop-pr-42": the cluster cannot be reached (ECONNREFUSED)',
  },
  KubernetesFailed: {
    condition: "Stalled",
    message: 'Creating namespace "preview-shop-pr-42": the API server answered with 500.',
  },
  AwsFailed: { condition: "Stalled", message: 'Reading cluster "previews": AWS answered ServerException.' },
  TargetForbidden: { condition: "Stalled", message: 'User "ci" cannot create resource "namespaces"' },
  TargetInvalid: {
    condition: "Stalled",
    message: 'kubeconfig file "/etc/stackling/kubeconfig" cannot be read (ENOENT)',
  },
  NameTaken: { condition: "Stalled", message: 'namespace "preview-shop-pr-42" exists and was not made by Stackling' },
  SecretMissing: {
    condition: "Stalled",
    message: 'granting the secret "STRIPE_KEY": environment "acme/previews/shop" has no text of that name',
  },
  NamespaceTerminating: { condition: "Stalled", message: 'namespace "preview-shop-pr-42" is in deletion since 10:00' },
  CertificateMissing: { condition: "Stalled", message: 'Secret "edge-tls" is not there' },
  EdgeNotReady: { condition: "Stalled", message: 'Ingress "edge" has no public address' },
  StackLocked: { condition: "Stalled", message: "locked by ada@laptop since 3 minutes", serves: true },
  Locked: {
    condition: "Ready",
    message: "waiting for another process on Stackling's machine: it is still at work, and the service's log names it",
    serves: true,
  },
  FenceLost: { condition: "Reconciling", message: 'changing stack "shop-pr-42": run 7 was overtaken by run 8' },
  EngineFailed: { condition: "Stalled", message: "the engine exited with 255" },
  EngineTimedOut: { condition: "Stalled", message: "no event for 5 minutes" },
  EngineInterrupted: {
    condition: "Stalled",
    message: 'updating stack "shop-pr-42": the engine was killed',
    serves: true,
  },
  PluginMissing: {
    condition: "Stalled",
    message: 'updating stack "shop-pr-42": the engine has no plugin "kubernetes" v4.34.2 and could not download it',
  },
  PolicyViolation: {
    condition: "Stalled",
    message: '"no-privileged-pods" forbids kubernetes:apps/v1:Deployment "service-web"',
    serves: true,
  },
  ProgramInvalid: { condition: "Stalled", message: 'loading "/etc/stackling/extra.ts": it exports no `extend`' },
  DestroyFailed: { condition: "Stalled", message: "2 processes did not end; tried again in 4 minutes", serves: true },
  StoreUnavailable: { condition: "Stalled", message: "asking the store: it does not answer", serves: true },
  BackendUnavailable: {
    condition: "Stalled",
    message: "Nothing new is built: asking the state backend: it does not answer. It goes on by itself.",
  },
  DiskFull: {
    condition: "Stalled",
    message:
      "Nothing new is built: the service's disk is nearly full: less than 1024 MiB are free. It goes on by itself.",
    serves: true,
    headSha: NEWER,
  },
  DiskReadOnly: {
    condition: "Stalled",
    message: "It is not removed yet: the service's disk cannot be written (EROFS).",
  },
  RefNotFound: { condition: "Stalled", message: 'git branch "feature-42" is not there' },
  RepositoryReplaced: {
    condition: "Stalled",
    message:
      '"acme/shop" is another repository now than the one that "shop" stands for. `stackling doctor` says what to do.',
    serves: true,
  },
};

const AT_HOME = { homeUrl: "https://preview.acme.dev" };

const NO_CHANGES = { added: 0, changed: 0, dropped: 0 };
const CHANGES = [
  { change: "dropped", kind: "table", name: "coupons" },
  { change: "dropped", kind: "column", table: "orders", name: "note", from: "text" },
  { change: "dropped", kind: "index", table: "orders", name: "orders_by_customer", from: "btree (customer)" },
  { change: "changed", kind: "column", table: "orders", name: "total", from: "integer", to: "bigint not null" },
  { change: "added", kind: "table", name: "refunds" },
  { change: "added", kind: "function", name: "total(bigint)" },
];

function migratedPreview(changes: readonly object[], counts: object): Preview {
  const preview = previewOf("Healthy");
  const { live, outputs } = preview.status;
  const database = { baseline: "shop-masked" };
  const migrated = { ...outputs, schema: { changes, counts, digest: "1f" } };
  return {
    ...preview,
    status: { ...preview.status, ...(live ? { live: { ...live, database } } : {}), outputs: migrated },
  };
}

describe("the comment", () => {
  for (const reason of REASONS) {
    it(`reads well when the reason is ${reason}`, () =>
      assertGolden(reason, renderComment(previewOf(reason), AT_HOME)));

    it(`reads well in short when the reason is ${reason}`, () =>
      assertGolden(`short/${reason}`, renderComment(previewOf(reason), { ...AT_HOME, verbosity: "short" })));
  }

  it("shows no picture for phones where no phone could reach it, nor of an address that is not below ours", () => {
    const on = (homeUrl: string, web: string) => {
      const { status, ...preview } = aPreview({ urls: { web } });
      return renderComment({ ...preview, status }, { homeUrl }).includes("<img ");
    };
    assert.ok(on("https://preview.acme.dev", "https://pr-42-shop.preview.acme.dev"));
    assert.ok(on("http://10.0.0.7.nip.io:4000", "http://pr-42-shop.10.0.0.7.nip.io:4000"));
    assert.ok(!on("http://localhost:4000", "http://pr-42-shop.localhost:4000"));
    assert.ok(!on("https://preview.acme.dev", "https://pr-42-shop.evil.example"));
    assert.ok(!on("https://preview.acme.dev", "https://a.pr-42-shop.preview.acme.dev"));
  });

  it("says how many wait before and behind it", () => {
    const queued = { queue: { place: 3, of: 5 } };
    const status = { ...previewOf("Queued").status, ...queued };
    assert.match(renderComment({ ...previewOf("Queued"), status }), /^\| Queue \| 3 of 5 \|$/m);
    // It stands in the record until it waits again.
    const served = { ...previewOf("Healthy").status, ...queued };
    assert.doesNotMatch(renderComment({ ...previewOf("Healthy"), status: served }), /Queue/);
  });

  it("tells what smoke tests and gates came to", async () => {
    const preview = previewOf("GateFailed");
    const { commit = "" } = preview.status.live?.source ?? {};
    const results = [
      { name: "GET /health", kind: "smoke", ok: true, required: true, text: "it answered 200 after 12 ms", ms: 12 },
      {
        name: "links | <b>",
        kind: "command",
        ok: false,
        required: true,
        text: "it exited with code 1",
        excerpt: ["2 of 40 links are broken"],
        ms: 900,
      },
    ] as const;
    const checks = { commit, at: "2026-11-21T10:04:00.000Z", results };
    const comment = renderComment({ ...preview, status: { ...preview.status, checks } }, AT_HOME);
    assert.match(comment, /^\| Checks \| ❌ 1 of 2 checks failed \|$/m);
    await assertGolden("checks", comment);
  });

  it("names the commits of other repositories that serve in it, and the lines that do not count", async () => {
    const preview = previewOf("ApprovalNeeded");
    const { live } = preview.status;
    assert.ok(live);
    const head = "e".repeat(40);
    const source = { ...live.source, repository: "https://github.com/acme/api.git" };
    const sources = {
      api: { ...source, name: "api", commit: head, number: 7 },
      mail: { ...source, name: "mail", commit: "f".repeat(40) },
    };
    const page = "https://github.com/acme/api";
    const links = [
      { said: "acme/payroll#1", problem: "No service comes from that repository." },
      { said: "acme/api#7", key: "api#7", headSha: head, url: `${page}/pull/7`, commitUrl: `${page}/commit/{sha}` },
    ];
    const status = { ...preview.status, live: { ...live, sources }, links };
    const comment = renderComment({ ...preview, status }, AT_HOME);
    assert.match(comment, /^\| Linked \| \[acme\/api\\#7\]\(.*\) at \[`eeeeeee`\]\(.*\) · mail at `fffffff` \|$/m);
    assert.match(comment, /and \[what `eeeeeee` of acme\/api\\#7 changes\].*\n(.*\n)+.*these commits alone/);
    await assertGolden("linked", comment);
  });

  it("leads to the previews of other repositories that it is part of", async () => {
    const part = { ...AT_HOME, runsIn: ["site#3", "mobile-app#12"] };
    await assertGolden("part-of", renderComment(previewOf("Healthy"), part));
  });

  it("says of each service what it is doing, whatever kind it is", () => {
    const preview = previewOf("Healthy");
    const { live } = preview.status;
    const [web] = live?.services ?? [];
    assert.ok(live && web);
    const services = [
      web,
      { ...web, name: "worker", kind: "worker" as const },
      { ...web, name: "nightly", kind: "cron" as const, schedule: "0 3 * * *" },
      { ...web, name: "once", kind: "job" as const },
    ];
    const rowOf = (status: Partial<PreviewStatus>) =>
      /^\| Services \| (.*) \|$/m.exec(
        renderComment({ ...preview, status: { ...preview.status, live: { ...live, services }, ...status } }),
      )?.[1];
    const link = `[web](${URLS.web})`;
    assert.equal(rowOf({}), `${link} up · worker up · nightly on schedule 0 3 \\* \\* \\* · once ran once`);
    const asleep = { reason: "Asleep", awake: false };
    assert.equal(rowOf(asleep), `${link} asleep · worker asleep · nightly asleep · once ran once`);
    assert.equal(rowOf({ reason: "Waking", awake: false })?.startsWith(`${link} waking up`), true);
  });

  it("lists the commands in short, too, for who asks for them", () => {
    const preview = previewOf("Healthy");
    const help = { at: ANSWERED_AT, said: "help", by: "ada", outcome: "done", answer: "they are below" } as const;
    const asked = { ...preview, intents: { ...preview.intents, commands: { since: ANSWERED_AT, answers: [help] } } };
    assert.match(renderComment(asked, { verbosity: "short" }), /`\/preview extend 48h`/);
    assert.doesNotMatch(renderComment(preview, { verbosity: "short" }), /`\/preview extend 48h`/);
  });

  it("makes no link of an address in a stranger's words", () => {
    const preview = previewOf("BuildFailed");
    const message = "see https://evil.example or WWW.evil.example and `curl http://localhost`";
    const comment = renderComment({ ...preview, status: { ...preview.status, message } });
    assert.doesNotMatch(comment, /https:\/\/evil|www\.evil/i);
    assert.ok(comment.includes("`curl http://localhost`"));
  });

  it("says that a change of preview.yaml waits for the merge", async () => {
    const preview = previewOf("Healthy");
    const handles = { previewYaml: `${preview.status.headSha ?? preview.pullRequest?.headSha} changed` };
    await assertGolden("preview-yaml-changed", renderComment({ ...preview, handles }));
  });

  it("says what of preview.yaml takes effect at once, where the operator lets it", () => {
    const preview = previewOf("Healthy");
    const { live } = preview.status;
    assert.ok(live);
    const handles = { previewYaml: `${preview.status.headSha ?? preview.pullRequest?.headSha} changed` };
    const status = { ...preview.status, live: { ...live, fromHead: ["flags", "services.web.env"] } };
    const comment = renderComment({ ...preview, handles, status });
    assert.match(comment, /^> .*`flags`, `services\.web\.env` takes effect at once, .* after the merge\.$/m);
    assert.doesNotMatch(comment, /read from the base branch/);
  });

  it("shows the feature flags that somebody set, and which label says nothing that is one", () => {
    const preview = previewOf("Healthy");
    const { live } = preview.status;
    assert.ok(live);
    const flags = { beta: { value: true, default: false }, theme: { value: "light", default: "light" } };
    const labels = ["flag:beta=true", "flag:theme=|x"];
    const pullRequest = { ...pullRequestOf(preview), labels };
    const comment = renderComment({ ...preview, pullRequest, status: { ...preview.status, live: { ...live, flags } } });
    assert.match(comment, /^\| Flags \| `beta=true` \|$/m);
    assert.ok(comment.includes("> [!NOTE]\n> The label `flag:theme=x` does nothing:"), comment);
    assert.ok(renderComment({ ...preview, pullRequest }).includes("`preview.yaml` declares no flags"));
  });

  it("offers to log in as the users of its seeds", () => {
    const preview = previewOf("Healthy");
    const { live } = preview.status;
    assert.ok(live);
    const users = [{ name: "ada", title: "Shop [owner]" }, ..."bcdef"].map((user) =>
      typeof user === "string" ? { name: user, title: user } : user,
    );
    const login = { path: "/login", users };
    const comment = renderComment({ ...preview, status: { ...preview.status, live: { ...live, login } } });
    const row = /^\| Log in as \| (.*) \|$/m.exec(comment)?.[1] ?? comment;
    assert.match(row, /^\[Shop \\\[owner\\\]\]\(https:\/\/[^ ]+\/\.stackling\/login\?as=ada\) · /);
    assert.match(row, / · \[all 6\]\(https:\/\/[^ ]+\/\.stackling\/login\)$/);
  });

  it("lets no user's title out of its cell, in which a table ends code, too", () => {
    const preview = previewOf("Healthy");
    const { live } = preview.status;
    assert.ok(live);
    const login = { path: "/login", users: [{ name: "eve", title: "`@all [Approve](https://evil.example) | `" }] };
    const comment = renderComment({ ...preview, status: { ...preview.status, live: { ...live, login } } });
    assert.ok(!comment.includes("[Approve]"), comment);
    assert.ok(!comment.includes("@all"), comment);
  });

  it("warns the author, by name, of what nobody uses", async () => {
    await assertGolden("idle-warning", renderComment(warnedPreview("ada")));
  });

  it("announces the teardown that it goes in, unless somebody keeps it", async () => {
    const preview = previewOf("Healthy");
    const status = { ...preview.status, teardownAt: "2026-11-27T21:00:00.000Z" };
    await assertGolden("teardown", renderComment({ ...preview, status }));
  });

  it("says until when it stays at most, and how that is moved", async () => {
    const preview = previewOf("Healthy");
    const status = { ...preview.status, hardStop: "2026-12-21T10:00:00.000Z" };
    await assertGolden("hard-stop", renderComment({ ...preview, status }));
    const { pullRequest, number, ...byHand } = preview;
    assert.match(renderComment({ ...byHand, status }), /`stackling extend 'shop#42' 14d`/);
  });

  it("announces no end while everything is stopped, for no time runs down", () => {
    const preview = warnedPreview("ada");
    const ends = { teardownAt: "2026-11-27T21:00:00.000Z", hardStop: "2026-12-21T10:00:00.000Z" };
    const status = { ...preview.status, reason: "Paused", ...ends };
    assert.doesNotMatch(renderComment({ ...preview, status }), /emoved on|tays until/);
  });

  it("answers the last commands, and mentions nobody who gave one", async () => {
    const comment = renderComment(answered(previewOf("Asleep")));
    assert.doesNotMatch(comment, /@(ada|mall)/);
    await assertGolden("answers", comment);
    assert.match(renderComment(answered(previewOf("Gone"))), /`\/preview up`/);
  });

  it("says on whose word a stranger's commit runs, mentions nobody, and says what does not keep it apart", async () => {
    const preview = approvedPreview({ isolated: true });
    const comment = renderComment(preview);
    assert.doesNotMatch(comment, /@ada/);
    await assertGolden("approved", comment);
    assert.match(renderComment(approvedPreview({ isolated: false })), /not kept apart from the service's own files/);
    // Of a commit that nobody approved any more, nobody's word is claimed.
    const { approved, ...intents } = preview.intents;
    assert.match(renderComment({ ...preview, intents }), /\| approved; runs without/);
  });

  it("tells what migrations made of the database, and lets what is dropped stand out", async () => {
    const comment = renderComment(migratedPreview(CHANGES, { added: 2, changed: 1, dropped: 3 }));
    await assertGolden("schema", comment);
    assert.doesNotMatch(renderComment(migratedPreview([], NO_CHANGES)), /schema/i);
  });

  it("bounds a long list of them, and lets no name of a table be more than a name", async () => {
    const name = "orders` | @everyone\n\n# <script>alert(1)</script> \u202edeppord";
    const many = Array.from({ length: 60 }, () => ({ change: "dropped", kind: "table", name, from: "`\n> [x](y)" }));
    const comment = renderComment(migratedPreview(many, { ...NO_CHANGES, dropped: 200 }));
    await assertGolden("schema-hostile", comment);
    assert.equal(comment.match(/- \*\*dropped table/g)?.length, 20);
  });

  it("says that somebody rolled back, and until when", async () => {
    const preview = previewOf("Healthy");
    const at = { by: "@ada", at: "2026-11-20T10:00:00.000Z" };
    const rolledBack = { sha: preview.status.live?.source.commit ?? "", head: NEWER, ...at };
    const back = {
      ...preview,
      status: { ...preview.status, headSha: NEWER },
      intents: { ...preview.intents, rolledBack },
    };
    const comment = renderComment(back);
    await assertGolden("rolled-back", comment);
    assert.doesNotMatch(comment, /@ada/);
    assert.match(renderSummary(back), /^.+\. Rolled back to 0123456 by @ada; a push follows the head again\.$/);
  });

  it("says how a trusted commit stands by the rule, and who approved it once it serves", async () => {
    const given = [{ by: "@ada", at: ANSWERED_AT }];
    const waiting = previewOf("ApprovalNeeded");
    const approval = { sha: NEWER, given, lacks: "1 of 2 approvals of commit `89abcde`: by @ada" };
    const message = "1 of 2 approvals of commit `89abcde`: by @ada; waits until 2026-11-21 12:10 UTC.";
    const comment = renderComment({ ...waiting, status: { ...waiting.status, approval, message } });
    assert.doesNotMatch(comment, /@ada|none of the operator's secrets/);
    await assertGolden("approval-by-rule", comment);
    // Nobody is asked for what time alone brings.
    const { lacks: _people, ...alone } = approval;
    const timed = { ...waiting.status, approval: { ...alone, until: ANSWERED_AT } };
    assert.doesNotMatch(renderComment({ ...waiting, status: timed }), /preview approve 89abcdef/);
    const served = previewOf("Healthy");
    const { live } = served.status;
    assert.ok(live);
    const met = { sha: live.source.commit, given: [...given, { by: "@bob", at: ANSWERED_AT }] };
    assert.match(
      renderComment({ ...served, status: { ...served.status, approval: met } }),
      /^\| Approved \| by @\u200bada, @\u200bbob: \[`0123456`\]/m,
    );
  });

  it("says how a commit is approved where the forge has no comments", () => {
    const preview = previewOf("ApprovalNeeded");
    const comment = renderComment({ ...preview, pullRequest: { ...pullRequestOf(preview), url: undefined } });
    assert.ok(comment.includes(`> stackling approve 'shop#42' ${NEWER}`), comment);
  });

  it("offers no command in comments where the forge has none", () => {
    const preview = previewOf("Healthy");
    const comment = renderComment({ ...preview, pullRequest: { ...pullRequestOf(preview), url: undefined } });
    assert.doesNotMatch(comment, /\/preview /);
    assert.match(comment, /stackling redeploy 'shop#42'/);
  });

  it("mentions no author whose name is none", () => {
    for (const author of ["ada @everyone", "a".repeat(90), "<b>", ""]) {
      const comment = renderComment(warnedPreview(author));
      assert.match(comment, /^> Nobody has used this preview/m);
      assert.ok(!comment.includes("@"));
    }
  });

  it("promises nothing of a visit that a budget turns away", () => {
    const warned = warnedPreview("ada");
    const stopped = { ...warned, status: { ...warned.status, reason: "OverBudget", awake: false } };
    assert.match(renderComment(warned), /^> A visit or a push keeps it;/m);
    assert.match(renderComment(stopped), /^> A push keeps it;/m);
  });

  it("begins with the marker by which it is found again", () => {
    assert.ok(renderComment(previewOf("Healthy")).startsWith("<!-- stackling:shop#42 -->\n"));
  });

  it("is the same text for the same preview, whoever visits", () => {
    const preview = previewOf("Healthy");
    const visited = { ...preview, lastVisitAt: "2026-11-21T11:00:00.000Z", revision: 7 };
    assert.equal(renderComment(visited), renderComment(preview));
  });

  it("lets no line of output end its block, mention anybody or become HTML", () => {
    const comment = renderComment(previewOf("BuildFailed"));
    assert.match(comment, /^`{5}text$/m);
    assert.equal(comment.match(/^`{5}$/gm)?.length, 1);
    assert.ok(!comment.split("`````")[0]?.includes("@ada"));
    // An image's digest is no name, and people copy it.
    assert.ok(renderComment(previewOf("ImagePullFailed")).includes("shop@sha256:1f"));
    assert.ok(!comment.split("`````")[0]?.includes("<b>"));
  });
});

describe("the fallback", () => {
  const fallbackUrl = "https://staging.acme.dev";

  it("is offered while the preview cannot be had, and not while its link opens or will open", async () => {
    const offered = REASONS.filter((reason) => renderComment(previewOf(reason), { fallbackUrl }).includes(fallbackUrl));
    assert.deepEqual(offered.sort(), ["ApprovalNeeded", "Blocked", "Destroying", "Gone", "OverBudget", "Paused"]);
    await assertGolden("fallback", renderComment(previewOf("Paused"), { fallbackUrl }));
  });
});

describe("a comment that would be longer than forges take", () => {
  const GITHUB_MAX = 65_536;
  const page = "[Its page](https://preview.acme.dev/previews/shop%2342) has more.";

  /** Whole: markup of every part is closed again, so that nothing swallows what stands behind it. */
  function assertWhole(comment: string): void {
    assert.ok(comment.length <= GITHUB_MAX, `${comment.length} characters`);
    assert.match(comment, /^<!-- stackling:shop#42 -->\n### /);
    const open: string[] = [];
    for (const line of comment.split("\n")) {
      const fence = /^`{3,}/.exec(line)?.[0];
      if (fence !== undefined && open.at(-1)?.startsWith("`")) {
        if (open.at(-1) === fence) open.pop();
      } else if (fence !== undefined) open.push(fence);
      else if (line === "<details>") open.push("details");
      else if (line === "</details>") assert.equal(open.pop(), "details");
    }
    assert.deepEqual(open, []);
  }

  const checked = (results: readonly CheckResult[]): Preview => {
    const preview = previewOf("GateFailed");
    const { commit = "" } = preview.status.live?.source ?? {};
    const checks = { commit, at: "2026-11-21T10:04:00.000Z", results };
    return { ...preview, status: { ...preview.status, checks } };
  };
  const failed = (name: string, text: string, excerpt: readonly string[] = []): CheckResult => {
    return { name, kind: "command", ok: false, required: true, text, excerpt, ms: 900 };
  };

  for (const verbosity of ["full", "short"] as const) {
    it(`keeps the last lines of long output, and all of short output (${verbosity})`, () => {
      const verbose = Array.from({ length: 20 }, (_, line) => `line ${line}: ${"`x".repeat(240)}`);
      const gates = Array.from({ length: 12 }, (_, gate) => failed(`gate ${gate}`, "it exited with code 1", verbose));
      const preview = checked([...gates, failed("links", "it exited with code 1", ["2 of 40 links", "are broken"])]);
      const logged = Array.from({ length: 1_000 }, (_, line) => `log ${line} ${"y".repeat(280)}`);
      const logs = { at: ANSWERED_AT, said: "logs", by: "ada", outcome: "done", answer: "", lines: logged } as const;
      const intents = { ...preview.intents, commands: { since: ANSWERED_AT, answers: [logs] } };
      const comment = renderComment({ ...preview, intents }, { ...AT_HOME, verbosity });
      assertWhole(comment);
      assert.match(comment, /^\[left out: \d+ of 1000 lines\]\nlog \d+ y/m);
      assert.match(comment, /^log 999 y/m);
      assert.doesNotMatch(comment, /^log 0 y/m);
      assert.ok(comment.includes(`Left out: the beginnings of long output. ${page}`), comment.slice(-500));
      if (verbosity === "short") return;
      assert.equal(comment.match(/^line 19: /gm)?.length, 12);
      assert.match(comment, /^```\n2 of 40 links\nare broken\n```$/m);
      assert.match(comment, /`\/preview extend 48h`/);
    });
  }

  it("goes without the longest that is folded away, where output is not all", () => {
    const preview = checked(
      Array.from({ length: 50 }, (_, gate) => failed(`${gate}${"*".repeat(400)}`, "|".repeat(400))),
    );
    const comment = renderComment(preview, AT_HOME);
    assertWhole(comment);
    assert.ok(comment.includes("Left out: the beginnings of long output, results of smoke tests and gates. "), comment);
    assert.match(comment, /^\| Checks \| ❌ 50 of 50 checks failed \|$/m);
    assert.match(comment, /`\/preview extend 48h`/);
  });

  it("says at least what is the matter, and where the preview is", () => {
    const preview = previewOf("GateFailed");
    const message = "`*".repeat(30_000);
    const comment = renderComment({ ...preview, status: { ...preview.status, message } }, AT_HOME);
    assertWhole(comment);
    assert.ok(comment.includes(`**[pr-42-shop.preview.acme.dev](${URLS.web})**`));
    assert.ok(comment.includes(`Left out: all else. ${page}`));
  });
});

describe("the comment where nothing renders it", () => {
  it("shows no marker and no markup of folding, and all of its text", () => {
    const text = commentText(renderComment(previewOf("BuildFailed")));
    assert.match(text, /^### ❌ Preview `shop#42`/);
    assert.match(text, /^What it said last$/m);
    assert.doesNotMatch(text, /<!--|<\/?(details|summary)>|\n{3}/);
  });
});

describe("the summary", () => {
  it("fits into 140 characters for every reason and any message", () => {
    for (const reason of REASONS) {
      const preview = previewOf(reason);
      const long = { ...preview, status: { ...preview.status, message: `${"ü🎉".repeat(300)}\n` } };
      for (const summary of [renderSummary(preview), renderSummary(long)]) {
        assert.ok(summary.length > 0);
        assert.ok(summary.length <= 140, `${summary.length} characters: ${summary}`);
        assert.doesNotMatch(summary, /\n|\p{Surrogate}/u);
      }
    }
  });
});

function approvedPreview(untrusted: { readonly isolated: boolean }): Preview {
  const preview = previewOf("Healthy");
  const { live } = preview.status;
  assert.ok(live);
  const approved = { sha: live.source.commit, by: "@ada", at: ANSWERED_AT };
  const status = { ...preview.status, live: { ...live, untrusted } };
  return { ...preview, status, intents: { ...preview.intents, approved } };
}

function warnedPreview(author: string): Preview {
  const preview = previewOf("Asleep");
  const warned = {
    at: "2026-11-21T10:00:00.000Z",
    idleSince: "2026-11-07T10:00:00.000Z",
    goesAt: "2026-11-28T10:00:00.000Z",
  };
  const { pullRequest } = preview;
  return {
    ...preview,
    status: { ...preview.status, warned },
    ...(pullRequest ? { pullRequest: { ...pullRequest, author } } : {}),
  };
}

function previewOf(reason: Reason): Preview {
  const { serves, ...status } = CASES[reason];
  const preview = aPreview(serves ? { urls: URLS } : {});
  const outputs = serves ? { database: "shop_pr_42" } : {};
  const pullRequest = { ...pullRequestOf(preview), ...(reason === "Gone" ? { state: "closed" as const } : {}) };
  return { ...preview, pullRequest, status: { ...preview.status, outputs, ...status, reason } };
}

function pullRequestOf({ pullRequest }: Preview): NonNullable<Preview["pullRequest"]> {
  if (!pullRequest) throw new Error("it has no pull request");
  return pullRequest;
}

const ANSWERED_AT = "2026-11-21T10:05:00.000Z";
const ANSWERS: readonly CommandAnswer[] = [
  { at: ANSWERED_AT, said: "extend 48h", by: "ada", outcome: "done", answer: "it stays until 2026-11-23 10:05 UTC" },
  { at: ANSWERED_AT, said: "status", by: "ada", outcome: "done", answer: "looked at again on 2026-11-21 10:05 UTC" },
  { at: ANSWERED_AT, said: "down", by: "mall_ory", outcome: "refused", answer: 'not "main" | <b>@ada</b>, see `up`' },
];

function answered(preview: Preview): Preview {
  return { ...preview, intents: { ...preview.intents, commands: { since: ANSWERED_AT, answers: ANSWERS } } };
}

/** Set UPDATE_GOLDEN=1 to write the files anew, and read the difference. */
async function assertGolden(name: string, text: string): Promise<void> {
  const file = new URL(`../fixtures/comments/${name}.md`, import.meta.url);
  if (process.env.UPDATE_GOLDEN) await writeFile(file, text);
  assert.equal(text, await readFile(file, "utf8"));
}
