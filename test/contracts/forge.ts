import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import type {
  Announcement,
  AnnouncementHandles,
  Forge,
  PullRequest,
  RepositoryRef,
} from "../../service/forges/forge.ts";

type Files = Readonly<Record<string, string | undefined>>;

/** One real repository behind a forge, and what people do to it. `main` holds `preview.yaml` with `services: {}`. */
export interface ForgeFixture {
  readonly forge: Forge;
  readonly repository: RepositoryRef;
  open(gitBranch: string, files: Files): Promise<{ readonly number: number; readonly headSha: string }>;
  push(number: number, files: Files): Promise<string>;
  /** Ends the pull request without a merge. */
  close(number: number): Promise<void>;
  pushBranch(gitBranch: string, files: Files): Promise<string>;
  /** Makes the repository unreadable until the returned function is called. */
  breakOff(): Promise<() => Promise<void>>;
  /** Texts of all comments on the pull request, where it can have any. */
  comments?(number: number): Promise<readonly string[]>;
  /** What people say on a pull request, where the forge reads it: somebody who may write, or an outsider. */
  say?(number: number, body: string, by: "writer" | "outsider"): Promise<number>;
  /** How many reactions a comment has. */
  reactions?(comment: number): Promise<number>;
  openFromFork?(gitBranch: string, files: Files): Promise<{ readonly number: number }>;
  remove(): Promise<void>;
}

/** What every forge must do. */
export function forgeContract(subject: {
  readonly name: string;
  readonly make: () => Promise<ForgeFixture>;
  /** False for a forge where nobody can offer a head of another repository. */
  readonly forks: boolean;
  /** False for a forge whose pull requests have no comments. */
  readonly commands: boolean;
}): void {
  const { name, make, forks, commands } = subject;
  describe(`forge "${name}"`, () => {
    let fixture: ForgeFixture;
    before(async () => {
      fixture = await make();
    });
    after(() => fixture.remove());

    const readOpen = async (number: number): Promise<PullRequest> => {
      const read = await fixture.forge.read(fixture.repository, number);
      assert.equal(read.kind, "found", JSON.stringify(read));
      return read.pullRequest;
    };
    const listed = async () => {
      const list = await fixture.forge.list(fixture.repository);
      assert.equal(list.kind, "found", JSON.stringify(list));
      return list.pullRequests;
    };

    it("shows an open pull request, and its new head after a push", async () => {
      const { number, headSha } = await fixture.open("feature/cart", { "cart.txt": "one\n" });
      const opened = await readOpen(number);
      assert.equal(opened.number, number);
      assert.equal(opened.state, "open");
      assert.equal(opened.merged, false);
      assert.equal(opened.headSha, headSha);
      assert.equal(opened.headRef, "feature/cart");
      assert.equal(opened.baseRef, "main");
      assert.equal(opened.fork, false);
      assert.equal(opened.trustedAuthor, true);
      assert.match(opened.createdAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.match(opened.updatedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      const pushed = await fixture.push(number, { "cart.txt": "two\n" });
      assert.notEqual(pushed, headSha);
      assert.equal((await readOpen(number)).headSha, pushed);
    });

    it("lists what is open and leaves out what is closed", async () => {
      const kept = await fixture.open("listed", { "a.txt": "a\n" });
      const closed = await fixture.open("closed", { "b.txt": "b\n" });
      await listed();
      await fixture.close(closed.number);
      const numbers = (await listed()).map(({ number }) => number);
      assert.ok(numbers.includes(kept.number));
      assert.ok(!numbers.includes(closed.number));
      const read = await readOpen(closed.number);
      assert.equal(read.state, "closed");
      assert.equal(read.merged, false);
      assert.equal(read.headSha, closed.headSha);
    });

    it("says unreachable, never closed, while the repository cannot be read", async () => {
      const { number } = await fixture.open("outage", { "c.txt": "c\n" });
      await listed();
      const mend = await fixture.breakOff();
      try {
        const read = await fixture.forge.read(fixture.repository, number);
        assert.ok(read.kind === "unreachable" && !read.missing, JSON.stringify(read));
        assert.equal((await fixture.forge.list(fixture.repository)).kind, "unreachable");
        await assert.rejects(fixture.forge.readFile(fixture.repository, "main", "preview.yaml"));
        await assert.rejects(fixture.forge.resolve(fixture.repository, "main"));
        await assert.rejects(fixture.forge.defaultBranch(fixture.repository));
      } finally {
        await mend();
      }
      assert.equal((await readOpen(number)).state, "open");
    });

    it("says unreachable for a number that was never given, and that it is missing", async () => {
      const read = await fixture.forge.read(fixture.repository, 4_000_000);
      assert.ok(read.kind === "unreachable" && read.missing, JSON.stringify(read));
    });

    describe("naming the files that a pull request changes", () => {
      const changed = async (number: number) => {
        const read = await fixture.forge.changedPaths?.(fixture.repository, await readOpen(number));
        assert.ok(read?.kind === "found", JSON.stringify(read));
        return [...read.paths].sort();
      };

      it("counts from where it left its base, over all its commits", async () => {
        await fixture.pushBranch("main", { "docs/old.txt": "old\n" });
        const { number } = await fixture.open("paths", { "apps/shop/ä b.txt": "one\n" });
        await fixture.pushBranch("main", { "elsewhere.txt": "not of the pull request\n" });
        assert.deepEqual(await changed(number), ["apps/shop/ä b.txt"]);
        await fixture.push(number, { "apps/api/index.js": "two\n" });
        assert.deepEqual(await changed(number), ["apps/api/index.js", "apps/shop/ä b.txt"]);
        await fixture.push(number, { "apps/api/index.js": undefined });
        assert.deepEqual(await changed(number), ["apps/shop/ä b.txt"], "what was taken back is no change");
      });

      it("names what was deleted, and a renamed file by both names", async () => {
        const text = "a long line that stays\n".repeat(40);
        await fixture.pushBranch("main", { "docs/moved.txt": text, "docs/deleted.txt": "gone soon\n" });
        const { number } = await fixture.open("moves", {
          "docs/moved.txt": undefined,
          "apps/moved.txt": text,
          "docs/deleted.txt": undefined,
        });
        assert.deepEqual(await changed(number), ["apps/moved.txt", "docs/deleted.txt", "docs/moved.txt"]);
      });

      it("names none of one without changes", async () => {
        const { number } = await fixture.open("no-change", {});
        assert.deepEqual(await changed(number), []);
      });

      it("says unreachable while the repository cannot be read", async () => {
        const { number } = await fixture.open("paths-outage", { "p.txt": "p\n" });
        const pullRequest = await readOpen(number);
        const mend = await fixture.breakOff();
        try {
          const read = await fixture.forge.changedPaths?.(fixture.repository, pullRequest);
          assert.equal(read?.kind, "unreachable");
        } finally {
          await mend();
        }
      });
    });

    it("says where it shows a commit and what that changes, where it has pages", async () => {
      const { number } = await fixture.open("shown", { "v.txt": "v\n" });
      const { url, commitUrl, reviewUrl } = await readOpen(number);
      for (const pattern of [commitUrl, reviewUrl]) {
        assert.equal(pattern === undefined, url === undefined);
        if (url === undefined || pattern === undefined) continue;
        assert.equal(new URL(pattern).origin, new URL(url).origin);
        assert.equal(pattern.split("{sha}").length, 2, pattern);
      }
    });

    it("says with each pull request which repository it is of, where it has ids", async () => {
      const { number } = await fixture.open("of-which", { "w.txt": "w\n" });
      const identity = await fixture.forge.identify?.(fixture.repository);
      assert.equal((await readOpen(number)).repositoryId, identity?.id);
      assert.ok((await listed()).every(({ repositoryId }) => repositoryId === identity?.id));
    });

    it("reads a file at a git ref, and tells a missing file from a missing ref", async () => {
      const { forge, repository } = fixture;
      const { headSha } = await fixture.open("files", { "preview.yaml": "services: {head: {}}\n", "ä/b c.txt": "ü\n" });
      assert.equal(await forge.readFile(repository, "main", "preview.yaml"), "services: {}\n");
      assert.equal(await forge.readFile(repository, headSha, "preview.yaml"), "services: {head: {}}\n");
      assert.equal(await forge.readFile(repository, "files", "ä/b c.txt"), "ü\n");
      assert.equal(await forge.readFile(repository, "main", "ä/b c.txt"), undefined);
      assert.equal(await forge.readFile(repository, "files", "ä"), undefined);
      await assert.rejects(forge.readFile(repository, "no-such-branch", "preview.yaml"), { reason: "RefNotFound" });
    });

    it("resolves branches and commits, and nothing else", async () => {
      const { forge, repository } = fixture;
      const sha = await fixture.pushBranch("by-hand", { "d.txt": "d\n" });
      assert.equal(await forge.resolve(repository, "by-hand"), sha);
      assert.equal(await forge.resolve(repository, sha), sha);
      for (const ref of ["no-such", "", "..", "../../x", "a b", "-q", "HEAD^{/x}", "a\nmain", "0".repeat(40)]) {
        assert.equal(await forge.resolve(repository, ref), undefined, JSON.stringify(ref));
      }
    });

    it("names the default branch", async () => {
      assert.equal(await fixture.forge.defaultBranch(fixture.repository), "main");
    });

    for (const gitBranch of [
      "quote'\"$(touch${IFS}x)`;|&",
      "--upload-pack=touch",
      "größe/日本",
      "a.b/-c",
      "%2e%2e/x",
    ]) {
      it(`takes the git branch ${gitBranch} as a name and no more`, async () => {
        const { number, headSha } = await fixture.open(gitBranch, { "e.txt": `${gitBranch}\n` });
        assert.equal((await readOpen(number)).headRef, gitBranch);
        assert.ok((await listed()).some((pull) => pull.number === number));
        assert.equal(await fixture.forge.resolve(fixture.repository, gitBranch), headSha);
        assert.equal(await fixture.forge.readFile(fixture.repository, gitBranch, "e.txt"), `${gitBranch}\n`);
      });
    }

    it("takes a path that leads elsewhere for a file that is not there", async () => {
      const { forge, repository } = fixture;
      for (const path of ["../preview.yaml", "/etc/passwd", "a/../preview.yaml", "./preview.yaml", "a\nb", ""]) {
        assert.equal(await forge.readFile(repository, "main", path), undefined, JSON.stringify(path));
      }
    });

    it("tells git where to fetch the head from, without a credential in the address", async () => {
      const { number } = await fixture.open("clone-me", { "f.txt": "f\n" });
      const headSha = await fixture.push(number, { "f.txt": "g\n" });
      const point = await fixture.forge.clonePoint(fixture.repository, { number, headSha });
      assert.doesNotMatch(point.url, /@|token|password/i);
      const { stdout } = await execa("git", ["ls-remote", "--", point.url, ...point.refs], { env: point.environment });
      assert.ok(stdout.includes(headSha), stdout);
    });

    if (forks) {
      it("shows that a pull request comes from a fork and an outsider", async () => {
        const opened = await fixture.openFromFork?.("stranger", { "g.txt": "g\n" });
        const read = await readOpen(opened?.number ?? 0);
        assert.equal(read.fork, true);
        assert.equal(read.trustedAuthor, false);
      });
    }

    if (commands) commandsContract(() => fixture);
    else it("reads no commands", () => assert.equal(fixture.forge.commands, undefined));

    it("announces once and edits in place", async () => {
      const { number, headSha } = await fixture.open("announced", { "h.txt": "h\n" });
      const say = (words: string, handles: AnnouncementHandles) =>
        fixture.forge.announce(fixture.repository, { number, headSha }, announcement(number, headSha, words), handles);
      const first = await say("building", {});
      assert.equal(first.failed, undefined);
      const second = await say("ready", first);
      // Killed between writing and remembering: the handles are lost.
      await say("ready again", {});
      const third = await say("ready again", second);
      assert.equal(third.failed, undefined);
      if (!commands) return;
      const comments = await fixture.comments?.(number);
      assert.deepEqual(comments, [announcement(number, headSha, "ready again").comment]);
    });
  });
}

const LONG_AGO = "2000-01-01T00:00:00.000Z";

/** Reading what people say, and reacting to it. */
function commandsContract(current: () => ForgeFixture): void {
  const subjectOf = () => {
    const { forge, repository, say, reactions, ...fixture } = current();
    assert.ok(forge.commands && say && reactions, "it reads commands");
    return { ...fixture, forge, commands: forge.commands, repository, say, reactions };
  };

  it("shows what people said, oldest first, from a comment or a time on, and not what we said", async () => {
    const { forge, commands, repository, say, open } = subjectOf();
    const { number, headSha } = await open("talked", { "i.txt": "i\n" });
    const first = await say(number, "/preview sleep", "writer");
    await forge.announce(repository, { number, headSha }, announcement(number, headSha, "ready"), {});
    const second = await say(number, "Good: ü\r\n\r\n/preview wake", "outsider");
    const all = await commands.comments(repository, number, { since: LONG_AGO, after: 0 });
    assert.equal(all.kind, "found", JSON.stringify(all));
    assert.deepEqual(
      all.comments.map(({ id, body }) => [id, body]),
      [
        [first, "/preview sleep"],
        [second, "Good: ü\r\n\r\n/preview wake"],
      ],
    );
    assert.equal(all.more, false);
    assert.deepEqual(all.last, { id: second, at: all.comments[1]?.createdAt });
    const [one, other] = all.comments;
    assert.match(one?.createdAt ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.notEqual(one?.author, other?.author);
    const news = await commands.comments(repository, number, { since: one?.createdAt ?? "", after: first });
    assert.equal(news.kind, "found");
    assert.deepEqual(
      news.comments.map(({ id }) => id),
      [second],
    );
    const none = await commands.comments(repository, number, { since: other?.createdAt ?? "", after: second });
    assert.deepEqual(none, { kind: "found", comments: [], more: false });
  });

  it("moves the pull request's time with a comment, so that the resync sees it", async () => {
    const { forge, repository, say, open } = subjectOf();
    const { number } = await open("moved", { "j.txt": "j\n" });
    const before = await forge.read(repository, number);
    await say(number, "/preview sleep", "writer");
    const after = await forge.read(repository, number);
    assert.ok(before.kind === "found" && after.kind === "found");
    assert.ok(after.pullRequest.updatedAt > before.pullRequest.updatedAt);
  });

  it("tells who may command", async () => {
    const { commands, repository, say, open } = subjectOf();
    const { number } = await open("allowed", { "k.txt": "k\n" });
    await say(number, "/preview sleep", "writer");
    await say(number, "/preview sleep", "outsider");
    const read = await commands.comments(repository, number, { since: LONG_AGO, after: 0 });
    assert.equal(read.kind, "found");
    const may = await Promise.all(read.comments.map((comment) => commands.mayCommand(repository, comment)));
    assert.deepEqual(may, [true, false]);
    const [comment] = read.comments;
    assert.ok(comment);
    assert.equal(await commands.mayCommand(repository, { ...comment, author: undefined }), false);
  });

  it("reacts once, however often it is told to, and not to what is gone", async () => {
    const { commands, repository, say, open, reactions } = subjectOf();
    const { number } = await open("reacted", { "l.txt": "l\n" });
    for (const outcome of ["done", "confused", "refused"] as const) {
      const comment = await say(number, `/preview ${outcome}`, "writer");
      await commands.acknowledge(repository, { number, id: comment }, outcome);
      await commands.acknowledge(repository, { number, id: comment }, outcome);
      assert.equal(await reactions(comment), 1);
    }
    await commands.acknowledge(repository, { number, id: 4_000_000 }, "done");
  });

  it("says unreachable while comments cannot be read", async () => {
    const { commands, repository, say, open, breakOff } = subjectOf();
    const { number } = await open("mute", { "m.txt": "m\n" });
    await say(number, "/preview sleep", "writer");
    const mend = await breakOff();
    try {
      const read = await commands.comments(repository, number, { since: LONG_AGO, after: 0 });
      assert.equal(read.kind, "unreachable");
    } finally {
      await mend();
    }
  });
}

function announcement(number: number, headSha: string, words: string): Announcement {
  return {
    key: `shop#${number}`,
    condition: "Ready",
    reason: "Healthy",
    summary: words,
    comment: `<!-- stackling:shop#${number} -->\n${words}`,
    headSha,
    environmentUrl: "http://pr-1-shop.localhost:4000",
    logUrl: "http://localhost:4000/previews/shop",
  };
}
