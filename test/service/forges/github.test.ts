import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import type { Forge } from "../../../service/forges/forge.ts";
import { githubForge } from "../../../service/forges/github.ts";
import { signedHeaders, startGithub, type TestGithub } from "../../support/emulate.ts";

const REPOSITORY = { name: "shop", path: "acme/shop" };

describe("reading from GitHub", () => {
  let github: TestGithub;
  let forge: Forge;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
    forge = await github.connect("token");
  });
  after(() => github.stop());

  for (const status of [401, 403, 404, 410, 500, 502]) {
    it(`says unreachable when GitHub answers ${status}`, async () => {
      const { number } = await github.open({ gitBranch: `status-${status}`, files: { "s.txt": `${status}` } });
      const mend = github.fail({ path: /\/pulls/, status });
      try {
        assert.equal((await forge.read(REPOSITORY, number)).kind, "unreachable");
        assert.equal((await forge.list(REPOSITORY)).kind, "unreachable");
      } finally {
        mend();
      }
    });
  }

  for (const body of ["<html>sign in</html>", "[]", "{}", "null", '{"number":1,"state":"closed"}']) {
    it(`says unreachable when the answer is ${body}`, async () => {
      const { number } = await github.open({ gitBranch: `body-${body.length}`, files: { "b.txt": body } });
      const headers = { "content-type": body.startsWith("<") ? "text/html" : "application/json" };
      const mend = github.fail({ path: /\/pulls\/[0-9]+$/, status: 200, body, headers });
      try {
        assert.equal((await forge.read(REPOSITORY, number)).kind, "unreachable");
      } finally {
        mend();
      }
    });
  }

  it("says unreachable when one page of a list fails", async () => {
    const mendFirst = github.fail({ path: /[?&]page=1$/, status: 200, body: JSON.stringify(await hundredPulls()) });
    const mendSecond = github.fail({ path: /[?&]page=2$/, status: 502 });
    try {
      assert.equal((await forge.list(REPOSITORY)).kind, "unreachable");
    } finally {
      mendFirst();
      mendSecond();
    }
  });

  it("reads comments page by page, leaves out bots, and says where it stopped", async () => {
    const { number } = await github.open({ gitBranch: "chatty", files: { "c.txt": "c" } });
    const pageOf = (page: number, length: number) =>
      Array.from({ length }, (_, index) => ({
        id: page * 1000 + index,
        body: "/preview sleep",
        user: index === 0 ? { login: "ci[bot]", type: "Bot" } : { login: "ada", type: "User" },
        created_at: `2026-01-0${page}T00:00:00Z`,
        author_association: "MEMBER",
      }));
    const serve = (page: number, length: number) =>
      github.fail({
        path: new RegExp(`/issues/${number}/comments\\?.*&page=${page}$`),
        status: 200,
        body: JSON.stringify(pageOf(page, length)),
      });
    const from = { since: "2025-01-01T00:00:00.000Z", after: 1001 };
    const mends = [serve(1, 100), serve(2, 2)];
    try {
      const read = await forge.commands?.comments(REPOSITORY, number, from);
      assert.equal(read?.kind, "found");
      assert.deepEqual([read.comments.length, read.comments[0]?.id, read.comments.at(-1)?.id], [99, 1002, 2001]);
      assert.deepEqual([read.more, read.last], [false, { id: 2001, at: "2026-01-02T00:00:00.000Z" }]);
      mends.push(github.fail({ path: /comments\?.*&page=3$/, status: 502 }));
      mends[1]?.();
      mends.push(serve(2, 100));
      assert.equal((await forge.commands?.comments(REPOSITORY, number, from))?.kind, "unreachable");
    } finally {
      for (const mend of mends) mend();
    }
    const mend = github.fail({ path: /comments\?/, status: 200, body: JSON.stringify(pageOf(1, 100)) });
    try {
      const read = await forge.commands?.comments(REPOSITORY, number, from);
      assert.equal(read?.kind, "found");
      assert.equal(read.more, true);
    } finally {
      mend();
    }
  });

  it("shows a merge as closed and merged", async () => {
    const { number } = await github.open({ gitBranch: "merged", files: { "m.txt": "m" } });
    await github.merge(number);
    const read = await forge.read(REPOSITORY, number);
    assert.equal(read.kind, "found");
    assert.equal(read.pullRequest.state, "closed");
    assert.equal(read.pullRequest.merged, true);
    const { createdAt, mergedAt = "" } = read.pullRequest;
    assert.ok(mergedAt >= createdAt, `opened at "${createdAt}", merged at "${mergedAt}"`);
  });

  it("reads in the description what it is to be previewed with", async () => {
    const { number } = await github.open({ gitBranch: "linked", files: { "l.txt": "l" } });
    const named = async (body: string) => {
      await github.api("PATCH", `/repos/acme/shop/pulls/${number}`, { body });
      const read = await forge.read(REPOSITORY, number);
      assert.equal(read.kind, "found");
      return read.pullRequest.previewWith;
    };
    assert.deepEqual(await named("A cart.\r\n\r\nPreview-With: acme/api#7"), ["acme/api#7"]);
    assert.equal(await named("A cart."), undefined);
  });

  it("does not trust an author without rights, fork or no fork", async () => {
    const { number } = await github.open({ gitBranch: "outsider", files: { "o.txt": "o" }, by: "outsider" });
    const read = await forge.read(REPOSITORY, number);
    assert.equal(read.kind, "found");
    assert.equal(read.pullRequest.fork, false);
    assert.equal(read.pullRequest.trustedAuthor, false);
  });

  it("trusts whom GitHub lets write, and the association only where it may not ask", async () => {
    const { number } = await github.open({ gitBranch: "rights", files: { "r.txt": "r" }, by: "outsider" });
    const owned = await github.open({ gitBranch: "owned", files: { "w.txt": "w" } });
    const trusted = async (ofNumber: number, answer: { status: number; body?: string }) => {
      const mend = github.fail({ path: /\/permission$/, ...answer });
      try {
        // A forge of its own, because an answer is remembered for a while.
        const read = await (await github.connect("token")).read(REPOSITORY, ofNumber);
        return read.kind === "found" ? read.pullRequest.trustedAuthor : read.kind;
      } finally {
        mend();
      }
    };
    const says = (permission: string) => ({ status: 200, body: JSON.stringify({ permission }) });
    assert.equal(await trusted(number, says("write")), true);
    assert.equal(await trusted(number, says("read")), false);
    assert.equal(await trusted(owned.number, says("read")), false);
    assert.equal(await trusted(owned.number, { status: 403 }), true);
    assert.equal(await trusted(number, { status: 403 }), false);
    assert.equal(await trusted(number, { status: 404 }), false);
    assert.equal(await trusted(number, { status: 502 }), "unreachable");
  });

  it("takes the word of nobody for granted where a stranger's code hangs on it", async () => {
    const association = { id: 1, createdAt: "", body: "", author: "ada" };
    const may = async (word: string, certain: boolean) => {
      const mend = github.fail({ path: /\/permission$/, status: 403 });
      try {
        const { commands } = await github.connect("token");
        return await commands?.mayCommand(REPOSITORY, { ...association, association: word }, { certain });
      } finally {
        mend();
      }
    };
    assert.equal(await may("COLLABORATOR", false), true);
    for (const word of ["COLLABORATOR", "MEMBER", "CONTRIBUTOR", "NONE"])
      assert.equal(await may(word, true), false, word);
    assert.equal(await may("OWNER", true), true);
  });

  it("asks again with the ETag and takes the unchanged answer", async () => {
    const { number } = await github.open({ gitBranch: "etag", files: { "t.txt": "t" } });
    const first = await forge.read(REPOSITORY, number);
    assert.deepEqual(await forge.read(REPOSITORY, number), first);
    assert.equal(github.requests.at(-1)?.status, 304);
    const headSha = await github.push(number, { "t.txt": "u" });
    const pushed = await forge.read(REPOSITORY, number);
    assert.equal(pushed.kind === "found" && pushed.pullRequest.headSha, headSha);
  });

  describe("naming changed files", () => {
    const filesAsked = () => github.requests.filter(({ path }) => path.includes("/files?")).length;
    const open = async (gitBranch: string) => {
      const { number } = await github.open({ gitBranch, files: { "n.txt": gitBranch } });
      const read = await forge.read(REPOSITORY, number);
      assert.ok(read.kind === "found");
      return read.pullRequest;
    };
    const names = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, index) => ({ filename: `f${index}.txt`, status: "added" })));

    it("asks nothing again while head and base are the same", async () => {
      const pullRequest = await open("same-files");
      const first = await forge.changedPaths?.(REPOSITORY, pullRequest);
      const asked = filesAsked();
      assert.deepEqual(await forge.changedPaths?.(REPOSITORY, pullRequest), first);
      assert.equal(filesAsked(), asked);
      for (const moved of [{ headSha: "e".repeat(40) }, { baseSha: "f".repeat(40) }, { baseRef: "release" }]) {
        await forge.changedPaths?.(REPOSITORY, { ...pullRequest, ...moved });
      }
      assert.equal(filesAsked(), asked + 3);
    });

    it("says tooMany where GitHub names no more, and reads every page up to there", async () => {
      const pullRequest = await open("many-files");
      const mend = github.fail({ path: /\/files\?/, status: 200, body: names(100) });
      const asked = filesAsked();
      try {
        assert.deepEqual(await forge.changedPaths?.(REPOSITORY, pullRequest), { kind: "tooMany" });
      } finally {
        mend();
      }
      assert.equal(filesAsked() - asked, 30);
    });

    const broken: readonly [string, { path: RegExp; status: number; body?: string }][] = [
      ["is empty while the pull request says otherwise", { path: /\/files\?/, status: 200, body: "[]" }],
      ["is no list", { path: /\/files\?/, status: 200, body: "{}" }],
      ["is half there", { path: /\/files\?.*page=2$/, status: 502 }],
      ["is a 404", { path: /\/files\?/, status: 404 }],
    ];
    for (const [index, [what, fault]] of broken.entries()) {
      it(`says unreachable when the answer ${what}, and asks again`, async () => {
        const pullRequest = await open(`broken-files-${index}`);
        const mends = [github.fail(fault)];
        if (fault.path.source.includes("=2")) {
          mends.push(github.fail({ path: /\/files\?.*page=1$/, status: 200, body: names(100) }));
        }
        try {
          assert.equal((await forge.changedPaths?.(REPOSITORY, pullRequest))?.kind, "unreachable");
        } finally {
          for (const mend of mends) mend();
        }
        assert.deepEqual(await forge.changedPaths?.(REPOSITORY, pullRequest), { kind: "found", paths: ["n.txt"] });
      });
    }
  });

  it("shows no credential in an error", async () => {
    const mend = github.fail({ path: /./, status: 401 });
    try {
      const read = await forge.read(REPOSITORY, 1);
      assert.ok(read.kind === "unreachable" && !read.message.includes(github.token));
      const error = await forge.resolve(REPOSITORY, "main").catch((thrown: unknown) => thrown);
      const { inspect } = await import("node:util");
      assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes(github.token));
    } finally {
      mend();
    }
  });

  it("says unreachable when nothing listens there", async () => {
    const away = await github.connect("token", { baseUrl: "http://127.0.0.1:9" });
    assert.equal((await away.read(REPOSITORY, 1)).kind, "unreachable");
  });

  it("says what the App lacks where it is not installed", async () => {
    const app = await github.connect("app");
    const read = await app.read({ name: "other", path: "acme/other" }, 1);
    assert.ok(read.kind === "unreachable" && read.message.includes("not installed"), JSON.stringify(read));
  });

  it("gives git the token for its own host and for no other", async () => {
    const elsewhere = await github.connect("token", { cloneUrl: "https://git.acme.dev/{path}.git" });
    const { url, environment } = await elsewhere.clonePoint(REPOSITORY, { number: 1, headSha: "" });
    assert.equal(url, "https://git.acme.dev/acme/shop.git");
    const ask = (prompt: string) =>
      execa(environment.GIT_ASKPASS ?? "", [prompt], { env: environment, reject: false }).then(({ stdout }) => stdout);
    assert.equal(await ask("Username for 'https://git.acme.dev': "), "x-access-token");
    assert.equal(await ask("Password for 'https://x-access-token@git.acme.dev': "), github.token);
    for (const host of ["https://evil.dev", "http://git.acme.dev", "https://git.acme.dev.evil.dev"]) {
      assert.equal(await ask(`Username for '${host}': `), "");
      assert.equal(await ask(`Password for '${host.replace("//", "//x-access-token@")}': `), "");
    }
  });

  async function hundredPulls(): Promise<unknown[]> {
    const { number } = await github.open({ gitBranch: "page", files: { "p.txt": "p" } });
    const pull = await github.api("GET", `/repos/acme/shop/pulls/${number}`);
    return Array.from({ length: 100 }, () => pull);
  }
});

describe("checking a delivery from GitHub", () => {
  let github: TestGithub;
  let forge: Forge;
  before(async () => {
    github = await startGithub({ files: { "a.txt": "a" } });
    forge = await github.connect("token");
  });
  after(() => github.stop());

  const body = JSON.stringify({ action: "opened", number: 7, repository: { full_name: "acme/shop" } });
  const verify = (headers: Record<string, string | undefined>, raw = body) =>
    forge.verify?.({ headers, body: Buffer.from(raw) });

  it("says which pull request it is about", async () => {
    const headers = signedHeaders("pull_request", body);
    assert.deepEqual(await verify(headers), {
      deliveryId: headers["x-github-delivery"],
      event: "pull_request",
      pullRequest: { repositoryPath: "acme/shop", number: 7 },
    });
  });

  it("looks at a pull request that was reviewed", async () => {
    const reviewed = JSON.stringify({
      action: "submitted",
      review: { id: 1, state: "approved" },
      pull_request: { number: 7 },
      repository: { full_name: "acme/shop" },
    });
    const verified = await verify(signedHeaders("pull_request_review", reviewed), reviewed);
    assert.deepEqual(verified?.pullRequest, { repositoryPath: "acme/shop", number: 7 });
  });

  it("takes any of the secrets while one is being changed", async () => {
    const path = `${github.repository.path}/../second.secret`;
    const { writeFile } = await import("node:fs/promises");
    await writeFile(path, "the next secret");
    const both = await github.connect("token", {
      webhookSecrets: [{ file: path }, { file: `${github.repository.path}/../webhook.secret` }],
    });
    for (const secret of ["the next secret", github.webhookSecret]) {
      const headers = signedHeaders("pull_request", body, secret);
      const verified = await both.verify?.({ headers, body: Buffer.from(body) });
      assert.equal(verified?.pullRequest?.number, 7);
    }
  });

  const commented = (changes: object) => ({
    action: "created",
    issue: { number: 7, pull_request: { url: "https://api.github.com/repos/acme/shop/pulls/7" } },
    comment: { id: 1, body: "/preview sleep", user: { login: "ada", type: "User" } },
    repository: { full_name: "acme/shop" },
    ...changes,
  });

  it("says which pull request a comment is on, and nothing of what it says", async () => {
    const text = JSON.stringify(commented({}));
    const headers = signedHeaders("issue_comment", text);
    assert.deepEqual(await verify(headers, text), {
      deliveryId: headers["x-github-delivery"],
      event: "issue_comment",
      pullRequest: { repositoryPath: "acme/shop", number: 7 },
    });
  });

  const passedOver: Readonly<Record<string, object>> = {
    "that was edited": { action: "edited" },
    "that was deleted": { action: "deleted" },
    "on an issue": { issue: { number: 7 } },
    "of a bot": { comment: { id: 1, body: "/preview sleep", user: { login: "ci[bot]", type: "Bot" } } },
    "of another shape": { issue: [], comment: null },
  };
  for (const [which, changes] of Object.entries(passedOver)) {
    it(`ignores a comment ${which}`, async () => {
      const text = JSON.stringify(commented(changes));
      const verified = await verify(signedHeaders("issue_comment", text), text);
      assert.equal(verified?.event, "issue_comment");
      assert.equal(verified.pullRequest, undefined);
    });
  }

  it("ignores events that are about no pull request", async () => {
    const push = JSON.stringify({ ref: "refs/heads/main" });
    const verified = await verify(signedHeaders("push", push), push);
    assert.equal(verified?.event, "push");
    assert.equal(verified?.pullRequest, undefined);
  });

  it("says which other branch was pushed to than the default one, and nothing of tags", async () => {
    const repository = { id: 1, full_name: "acme/shop", default_branch: "main" };
    const told = async (ref: string) => {
      const push = JSON.stringify({ ref, repository });
      const { pushedTo, pushedBranch } = (await verify(signedHeaders("push", push), push)) ?? {};
      return pushedTo ?? pushedBranch?.gitBranch;
    };
    assert.equal(await told("refs/heads/main"), "acme/shop");
    assert.equal(await told("refs/heads/release/1"), "release/1");
    assert.equal(await told("refs/tags/v1"), undefined);
  });

  const wrong: readonly (readonly [string, 400 | 401 | 415, () => [Record<string, string | undefined>, string?]])[] = [
    ["no signature", 401, () => [{ ...signedHeaders("pull_request", body), "x-hub-signature-256": undefined }]],
    ["another secret", 401, () => [signedHeaders("pull_request", body, "guessed")]],
    ["a changed body", 401, () => [signedHeaders("pull_request", body), `${body} `]],
    ["a signature that is none", 401, () => [{ ...signedHeaders("pull_request", body), "x-hub-signature-256": "ü" }]],
    [
      "a form",
      415,
      () => [{ ...signedHeaders("pull_request", body), "content-type": "application/x-www-form-urlencoded" }],
    ],
    ["no event", 400, () => [{ ...signedHeaders("pull_request", body), "x-github-event": undefined }]],
    ["no delivery id", 400, () => [{ ...signedHeaders("pull_request", body), "x-github-delivery": undefined }]],
    ["broken JSON", 400, () => [signedHeaders("pull_request", "{"), "{"]],
    ["no body at all", 400, () => [signedHeaders("pull_request", ""), ""]],
    ["JSON of another shape", 400, () => [signedHeaders("pull_request", "[1]"), "[1]"]],
  ];
  for (const [what, status, make] of wrong) {
    it(`refuses ${what} with ${status}`, () => assert.rejects(async () => verify(...make()), { status }));
  }

  it("understands what the server itself sends", async () => {
    const { createServer } = await import("node:http");
    const received: { headers: Record<string, string | undefined>; body: Buffer }[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const headers = request.headers as Record<string, string | undefined>;
        received.push({ headers, body: Buffer.concat(chunks) });
        response.writeHead(202).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = server.address();
      const port = typeof address === "object" ? address?.port : 0;
      await github.sendWebhooksTo(`http://127.0.0.1:${port}/webhooks/github`);
      const { number } = await github.open({ gitBranch: "hook", files: { "h.txt": "h" } });
      await github.push(number, { "h.txt": "i" });
      await github.close(number);
      const { eventually } = await import("../../support/eventually.ts");
      await eventually(
        () => received.filter(({ headers }) => headers["x-github-event"] === "pull_request").length >= 3,
      );
      for (const delivery of received) {
        const verified = await forge.verify?.(delivery);
        if (verified?.event === "pull_request") assert.equal(verified.pullRequest?.number, number);
        assert.equal(verified?.repositoryId, (await forge.identify?.(REPOSITORY))?.id);
      }
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe("a repository that was renamed", () => {
  let github: TestGithub;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" }, recording: true });
  });
  after(() => github.stop());

  for (const kind of ["token", "app"] as const) {
    it(`goes on under its old path, reads and writes and git, by ${kind}`, async () => {
      const forge = await github.connect(kind, { cloneUrl: github.gitUrl });
      const { number, headSha } = await github.open({ gitBranch: `moves-${kind}`, files: { "m.txt": kind } });
      const before = await forge.identify?.(REPOSITORY);
      await github.rename(`store-${kind}`);
      assert.deepEqual(await forge.identify?.(REPOSITORY), { id: before?.id, path: `acme/store-${kind}` });
      const read = await forge.read(REPOSITORY, number);
      assert.ok(read.kind === "found", JSON.stringify(read));
      assert.equal(read.pullRequest.repositoryId, before?.id);
      assert.deepEqual(await forge.changedPaths?.(REPOSITORY, read.pullRequest), { kind: "found", paths: ["m.txt"] });
      const list = await forge.list(REPOSITORY);
      assert.ok(list.kind === "found" && list.pullRequests.every(({ repositoryId }) => repositoryId === before?.id));
      assert.equal(await forge.readFile(REPOSITORY, "main", "preview.yaml"), "services: {}\n");
      assert.equal(await forge.resolve(REPOSITORY, `moves-${kind}`), headSha);
      const said = await forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, "one"), {});
      await forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, "two"), said);
      assert.deepEqual(
        (await github.comments(number)).map(({ body }) => body),
        [announcement(number, headSha, "two").comment],
      );
      assert.equal(said.failed, undefined);
      const point = await forge.clonePoint(REPOSITORY, { number, headSha });
      const { stdout } = await execa("git", ["ls-remote", "--", point.url, ...point.refs], { env: point.environment });
      assert.ok(stdout.includes(headSha), stdout);
    });
  }

  it("is never written to by a redirect that makes a read of it, or leads elsewhere", async () => {
    const forge = await github.connect("token");
    const { number, headSha } = await github.open({ gitBranch: "redirects", files: { "r.txt": "r" } });
    const say = (words: string) =>
      forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, words), {});
    const comments = `/repos/${(await forge.identify?.(REPOSITORY))?.path}/issues/${number}/comments`;
    const redirect = (location: string) =>
      github.fail({
        method: "POST",
        path: /^\/repos\/acme\/shop\/issues\/[0-9]+\/comments/,
        status: 301,
        headers: { location },
      });
    const astray = redirect("http://127.0.0.1:9/stolen");
    assert.match((await say("astray")).failed ?? "", /comment/);
    astray();
    assert.deepEqual(await github.comments(number), []);
    const permanent = redirect(comments);
    assert.equal((await say("permanent")).failed, undefined);
    permanent();
    assert.equal((await github.comments(number)).length, 1);
  });
});

describe("announcing on GitHub", () => {
  it("edits no comment of a stranger who wrote the marker", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      await github.comment(number, `<!-- stackling:shop#${number} -->\nmine`, "outsider");
      await forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, "ours"), {});
      const bodies = (await github.comments(number)).map((one) => one.body);
      assert.deepEqual(bodies, [`<!-- stackling:shop#${number} -->\nmine`, `<!-- stackling:shop#${number} -->\nours`]);
    });
  });

  it("writes a new comment when a person deleted the old one", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      const say = (words: string, handles = {}) =>
        forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, words), handles);
      const handles = await say("one");
      await github.deleteComment(Number(handles.comment));
      await say("two", handles);
      assert.deepEqual(
        (await github.comments(number)).map((one) => one.body),
        [`<!-- stackling:shop#${number} -->\ntwo`],
      );
    });
  });

  it("writes the other parts when one fails, and that one the next time", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      const mend = github.fail({ method: "POST", path: /comments/, status: 502 });
      const say = (handles = {}) =>
        forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, "words"), handles);
      const first = await say();
      assert.match(first.failed ?? "", /comment .* 502/);
      assert.equal((await github.checkRuns(headSha)).length, 1);
      mend();
      const second = await say(first);
      assert.equal(second.failed, undefined);
      assert.equal((await github.comments(number)).length, 1);
      assert.equal((await github.checkRuns(headSha)).length, 1);
    });
  });

  it("asks a server without deployments only once", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      let handles = {};
      for (const words of ["one", "two", "three"]) {
        handles = await forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, words), handles);
      }
      assert.equal(github.requests.filter(({ path }) => path.includes("/deployments")).length, 1);
    });
  });

  it("takes a rate limit for something that passes, not for a missing right", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      const headers = { "x-ratelimit-remaining": "0" };
      const mend = github.fail({ path: /deployments|statuses|check-runs|comments/, status: 403, headers });
      const handles = await forge.announce(REPOSITORY, { number, headSha }, announcement(number, headSha, "words"), {});
      mend();
      assert.equal(handles.deployments, undefined);
      assert.ok(handles.failed);
      const next = await forge.announce(
        REPOSITORY,
        { number, headSha },
        announcement(number, headSha, "words"),
        handles,
      );
      assert.equal(next.failed, undefined);
      assert.equal((await github.comments(number)).length, 1);
    });
  });

  it("passes no check of a head that serves no more, because somebody rolled back", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      const back = { ...announcement(number, headSha, "rolled back"), rolledBack: true as const };
      await forge.announce(REPOSITORY, { number, headSha }, back, {});
      assert.deepEqual(
        (await github.checkRuns(headSha)).map(({ conclusion }) => conclusion),
        ["neutral"],
      );
    });
  });

  it("ends the check run of a commit that was pushed over", async () => {
    await withOpen(async ({ github, forge, number, headSha }) => {
      const building = { ...announcement(number, headSha, "building"), condition: "Reconciling" as const };
      const handles = await forge.announce(REPOSITORY, { number, headSha }, building, {});
      const newer = await github.push(number, { "x.txt": "newer" });
      await forge.announce(REPOSITORY, { number, headSha: newer }, { ...building, headSha: newer }, handles);
      assert.deepEqual(
        (await github.checkRuns(headSha)).map(({ conclusion }) => conclusion),
        ["cancelled"],
      );
      assert.deepEqual(
        (await github.checkRuns(newer)).map(({ status }) => status),
        ["in_progress"],
      );
    });
  });
});

describe("the options", () => {
  it("want a token or an App, and not both", () => {
    const token = { env: "TOKEN" };
    const app = { id: 1, privateKey: { env: "KEY" } };
    assert.equal(githubForge.options.safeParse({}).success, false);
    assert.equal(githubForge.options.safeParse({ token, app }).success, false);
    assert.equal(githubForge.options.safeParse({ token }).success, true);
    assert.equal(githubForge.options.safeParse({ app }).success, true);
  });

  it("name the environment variable that is missing", async () => {
    const options = githubForge.options.parse({ token: { env: "STACKLING_TEST_NO_SUCH" } });
    await assert.rejects(githubForge.connect(options), /environment variable "STACKLING_TEST_NO_SUCH" is missing/);
  });
});

interface Opened {
  readonly github: TestGithub;
  readonly forge: Forge;
  readonly number: number;
  readonly headSha: string;
}

async function withOpen(act: (opened: Opened) => Promise<void>): Promise<void> {
  const github = await startGithub({ files: { "a.txt": "a\n" } });
  try {
    const forge = await github.connect("app");
    const opened = await github.open({ gitBranch: "feature", files: { "x.txt": "x\n" } });
    await act({ github, forge, ...opened });
  } finally {
    await github.stop();
  }
}

function announcement(number: number, headSha: string, words: string) {
  return {
    key: `shop#${number}`,
    condition: "Ready" as const,
    reason: "Healthy",
    summary: words,
    comment: `<!-- stackling:shop#${number} -->\n${words}`,
    headSha,
    environmentUrl: "https://pr-1-shop.preview.acme.dev",
  };
}
