import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLocalForge } from "../../../service/forges/local.ts";
import { eventually } from "../../support/eventually.ts";
import { createRepository, type TestRepository } from "../../support/git-repository.ts";

const clock = { now: () => "2026-11-21T10:00:00.000Z" };

describe("pull requests of a local repository", () => {
  it("keep their numbers when everything else is lost, and a branch made again gets a new one", () =>
    withRepository(async (source, repository) => {
      await source.commit("one", { "a.txt": "1" });
      assert.deepEqual(await numbers(repository), { one: 1 });
      await source.commit("two", { "a.txt": "2" });
      assert.deepEqual(await numbers(repository), { one: 1, two: 2 });
      await source.deleteBranch("one");
      assert.deepEqual(await numbers(repository), { two: 2 });
      await source.commit("one", { "a.txt": "3" });
      assert.deepEqual(await numbers(repository), { one: 3, two: 2 });
      const read = await createLocalForge(clock).read(repository, 1);
      assert.equal(read.kind === "found" && read.pullRequest.state, "closed");
    }));

  it("name in the newest commit's trailers what they are to be previewed with", () =>
    withRepository(async (source, repository) => {
      const named = async () => {
        const read = await createLocalForge(clock).read(repository, (await numbers(repository)).one ?? 0);
        return read.kind === "found" ? read.pullRequest.previewWith : read.message;
      };
      await source.commit("one", { "a.txt": "1" }, "One\n\nText.\n\nPreview-With: api#3\nPreview-With: mail#1\n");
      assert.deepEqual(await named(), ["api#3", "mail#1"]);
      await source.commit("one", { "a.txt": "2" }, "Two");
      assert.equal(await named(), undefined);
    }));

  it("end with the old name of a branch that is renamed, and begin with the new one", () =>
    withRepository(async (source, repository) => {
      const headSha = await source.commit("one", { "a.txt": "1" });
      assert.deepEqual(await numbers(repository), { one: 1 });
      await source.git("branch", "--move", "one", "two");
      assert.deepEqual(await numbers(repository), { two: 2 });
      const read = async (number: number) => {
        const found = await createLocalForge(clock).read(repository, number);
        return found.kind === "found" && [found.pullRequest.state, found.pullRequest.headSha];
      };
      assert.deepEqual(await read(1), ["closed", headSha]);
      assert.deepEqual(await read(2), ["open", headSha]);
    }));

  it("keep their number when a branch is pushed over, whose old commits are forgotten", () =>
    withRepository(async (source, repository) => {
      await source.commit("one", { "a.txt": "1" });
      assert.deepEqual(await numbers(repository), { one: 1 });
      const main = await source.head("main");
      const forced = await source.git("commit-tree", `${main}^{tree}`, "-p", main, "-m", "anew");
      await source.git("update-ref", "refs/heads/one", forced);
      await source.git("reflog", "expire", "--expire=now", "--all");
      await source.git("gc", "--quiet", "--prune=now");
      const read = await createLocalForge(clock).read(repository, 1);
      assert.equal(read.kind === "found" && read.pullRequest.headSha, forced);
      const pullRequest = read.kind === "found" ? read.pullRequest : assert.fail();
      const changed = await createLocalForge(clock).changedPaths?.(repository, pullRequest);
      assert.deepEqual(changed, { kind: "found", paths: [] });
    }));

  it("get one number each when many look at once", () =>
    withRepository(async (source, repository) => {
      for (const branch of ["a", "b", "c", "d"]) await source.commit(branch, { "x.txt": branch });
      const seen = await Promise.all(Array.from({ length: 6 }, () => numbers(repository)));
      for (const one of seen) assert.deepEqual(one, seen[0]);
      assert.deepEqual(Object.values(seen[0] ?? {}).sort(), [1, 2, 3, 4]);
    }));

  it("are merged when the deleted branch's head is in the default branch", () =>
    withRepository(async (source, repository) => {
      const head = await source.commit("feature", { "x.txt": "x" });
      await numbers(repository);
      await source.git("update-ref", "refs/heads/main", head);
      await source.deleteBranch("feature");
      const read = await createLocalForge(clock).read(repository, 1);
      assert.equal(read.kind === "found" && read.pullRequest.merged, true);
      assert.equal(read.kind === "found" && read.pullRequest.mergedAt, clock.now());
    }));

  it("are only those whose branch matches a pattern", () =>
    withRepository(async (source, repository) => {
      for (const branch of ["feature/a", "feature/b/c", "wip/x"]) await source.commit(branch, { "x.txt": branch });
      assert.deepEqual(Object.keys(await numbers({ ...repository, branches: ["feature/*"] })), ["feature/a"]);
      const listed = await numbers({ ...repository, branches: ["**", "!wip/**"] });
      assert.deepEqual(Object.keys(listed).sort(), ["feature/a", "feature/b/c"]);
    }));

  it("are not closed while the default branch cannot be found", () =>
    withRepository(async (source, repository) => {
      await source.commit("feature", { "x.txt": "x" });
      await numbers(repository);
      await source.git("update-ref", "-d", "refs/heads/main");
      await source.git("update-ref", "-d", "refs/heads/feature");
      const read = await createLocalForge(clock).read(repository, 1);
      assert.equal(read.kind, "unreachable");
    }));

  it("are not closed when a branch's file is damaged", () =>
    withRepository(async (source, repository) => {
      await source.commit("feature", { "x.txt": "x" });
      await numbers(repository);
      await writeFile(join(source.path, ".git", "refs", "heads", "feature"), "");
      const read = await createLocalForge(clock).read(repository, 1);
      assert.equal(read.kind, "unreachable");
    }));

  it("are not those of the repository around a folder that lost its own", () =>
    withRepository(async (source, repository) => {
      const inner = join(source.path, "inner");
      await source.git("init", "--quiet", inner);
      await rm(join(inner, ".git"), { recursive: true });
      const read = await createLocalForge(clock).list({ ...repository, path: inner });
      assert.equal(read.kind, "unreachable");
    }));

  it("are those of the whole repository when the path is a worktree", () =>
    withRepository(async (source, repository) => {
      await source.commit("feature", { "x.txt": "x" });
      const tree = `${source.path}-tree`;
      await source.git("worktree", "add", "--quiet", tree, "feature");
      assert.deepEqual(await numbers({ ...repository, path: tree }), { feature: 1 });
      assert.equal(await createLocalForge(clock).defaultBranch({ ...repository, path: tree }), "main");
    }));

  it("leave the default branch where it is when somebody switches branches", () =>
    withRepository(async (source, repository) => {
      await source.commit("feature", { "x.txt": "x" });
      await source.git("symbolic-ref", "HEAD", "refs/heads/feature");
      assert.equal(await createLocalForge(clock).defaultBranch(repository), "main");
      assert.deepEqual(await numbers(repository), { feature: 1 });
    }));
});

describe("watching a local repository", () => {
  it("tells of a push, a packed ref and a deleted branch, and ends with its signal", () =>
    withRepository(async (source, repository) => {
      const forge = createLocalForge(clock);
      const ending = new AbortController();
      let told = 0;
      forge.watch?.(
        repository,
        () => {
          told++;
        },
        ending.signal,
      );
      const tells = async (act: () => Promise<unknown>) => {
        const before = told;
        await act();
        await eventually(() => told > before, { timeoutMs: 20_000, what: "the watch to tell" });
      };
      await tells(() => source.commit("deep/er/feature", { "x.txt": "x" }));
      await tells(() => source.commit("deep/er/feature", { "x.txt": "y" }));
      await tells(() => source.git("pack-refs", "--all"));
      await tells(() => source.deleteBranch("deep/er/feature"));
      ending.abort();
    }));
});

type Repository = { readonly name: string; readonly path: string; readonly branches?: readonly string[] };

async function numbers(repository: Repository): Promise<Record<string, number>> {
  const list = await createLocalForge(clock).list(repository);
  assert.equal(list.kind, "found", JSON.stringify(list));
  return Object.fromEntries(list.pullRequests.map(({ headRef, number }) => [headRef, number]));
}

async function withRepository(act: (source: TestRepository, repository: Repository) => Promise<void>): Promise<void> {
  const source = await createRepository({ files: { "a.txt": "0" } });
  try {
    await act(source, { name: "shop", path: source.path });
  } finally {
    await source.remove();
  }
}
