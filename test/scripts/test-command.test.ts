import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type FileResult, runTestFile } from "../../scripts/test-file.ts";
import { readAllowedSkips, TestReport } from "../../scripts/test-report.ts";
import type { Outcome } from "../../scripts/test-reporter.ts";
import { eventually } from "../support/eventually.ts";

describe("a test file", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-test-command-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is counted test by test, by name and reason", async () => {
    const { outcomes } = await run(`
      describe("outer", () => {
        it("holds", () => {});
        it("breaks", () => { throw new Error("told so"); });
        it("waits", { skip: "requires moon: not tonight" }, () => {});
      });`);
    assert.deepEqual(
      outcomes.map(({ outcome, name }) => [outcome, name]),
      [
        ["passed", "outer > holds"],
        ["failed", "outer > breaks"],
        ["skipped", "outer > waits"],
      ],
    );
    assert.match(outcomes[1]?.detail ?? "", /told so/);
    assert.equal(outcomes[2]?.detail, "requires moon: not tonight");
  });

  it("counts as failed when a hook around its tests fails", async () => {
    const { outcomes } = await run(`
      describe("outer", () => { after(() => { throw new Error("in the hook"); }); it("holds", () => {}); });`);
    assert.ok(outcomes.some(({ outcome, detail }) => outcome === "failed" && detail.includes("in the hook")));
  });

  it("counts as skipped as a whole when its suite is", async () => {
    const { outcomes } = await run(
      `describe("outer", { skip: "requires moon: no" }, () => { it("holds", () => {}); });`,
    );
    assert.ok(outcomes.length > 0 && outcomes.every(({ outcome }) => outcome === "skipped"));
  });

  it("fails when it cannot be loaded, with what it printed", async () => {
    const { outcomes } = await run(`throw new Error("broken at the top");`);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ["failed"],
    );
    assert.match(outcomes[0]?.detail ?? "", /broken at the top/);
  });

  it("fails when it has no test", async () => {
    const { outcomes } = await run("");
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ["failed"],
    );
  });

  it("is killed and fails when it does not end, and what passed before still counts", async () => {
    const { outcomes } = await run(
      `it("holds", () => {}); it("hangs", () => new Promise(() => setInterval(() => {}, 1000)));`,
      {
        timeoutMs: 3_000,
      },
    );
    assert.ok(outcomes.some(({ outcome, name }) => outcome === "passed" && name === "holds"));
    assert.ok(outcomes.some(({ outcome, detail }) => outcome === "failed" && detail.includes("did not end in time")));
  });

  it("fails when it leaves a process behind, which is ended", {
    skip: process.platform !== "linux" && "only Linux has /proc",
  }, async () => {
    const note = join(folder, "pid");
    const { outcomes } = await run(`it("forgets", () => {
      const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
      child.unref();
      writeFileSync(${JSON.stringify(note)}, String(child.pid));
    });`);
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome),
      ["passed", "failed"],
    );
    assert.match(outcomes[1]?.detail ?? "", /sleep 600/);
    // A killed process takes a moment to end, and stays as a zombie until somebody reaps it.
    const stat = `/proc/${await readFile(note, "utf8")}/stat`;
    await eventually(async () => /\) Z/.test(await readFile(stat, "utf8").catch(() => "gone) Z")));
  });

  async function run(body: string, limits: { timeoutMs?: number } = {}): Promise<FileResult> {
    const file = join(folder, "some.test.mjs");
    const head = `import { after, describe, it } from "node:test";
      import { spawn } from "node:child_process";
      import { writeFileSync } from "node:fs";`;
    await writeFile(file, `${head}\n${body}\n`);
    return runTestFile({
      file,
      root: folder,
      scratch: folder,
      timeoutMs: 60_000,
      graceMs: 500,
      env: process.env,
      signal: new AbortController().signal,
      ...limits,
    });
  }
});

describe("a skip", () => {
  const skipped = (detail: string): Outcome => ({ outcome: "skipped", name: "clones", detail });
  const allowed = readAllowedSkips("# words\nxfs # needs root\n\ntest/a.test.ts > clones # on purpose\n");

  const table: readonly [string, string, string, boolean][] = [
    ["of a kind on the list", "test/b.test.ts", "requires xfs: no mkfs.xfs", true],
    ["of a kind that is not on the list", "test/b.test.ts", "requires postgres: none", false],
    ["of a test on the list", "test/a.test.ts", "for reasons", true],
    ["for no reason", "test/b.test.ts", "true", false],
  ];
  for (const [what, file, detail, accepted] of table) {
    it(`${what} counts as ${accepted ? "skipped" : "failed"}`, () => {
      const report = new TestReport({ allowedSkips: allowed, write: () => {} });
      report.add({ file, outcomes: [skipped(detail)], durationMs: 1 });
      assert.deepEqual([report.skipped, report.failed], accepted ? [1, 0] : [0, 1]);
    });
  }

  it("is accepted for all that tests may ask of a machine, but for what everything stands on", () => {
    const list = readAllowedSkips(readFileSync(new URL("../support/allowed-skips", import.meta.url), "utf8"));
    const sources = globSync("../**/*.test.ts", { cwd: import.meta.dirname }).map((file) =>
      readFileSync(join(import.meta.dirname, file), "utf8"),
    );
    const asked = sources.flatMap((text) =>
      [...text.matchAll(/\brequires\(("\w+"(?:, "\w+")*)/g)].map(([, kinds]) => kinds),
    );
    const kinds = new Set(asked.flatMap((names) => names?.match(/\w+/g) ?? []));
    assert.ok(kinds.size > 5);
    assert.deepEqual([...kinds].filter((kind) => !list.has(kind)).sort(), ["engine", "postgres"]);
  });

  it("is told with its reason before the one line that everything ends with", () => {
    const written: string[] = [];
    const report = new TestReport({ allowedSkips: allowed, write: (text) => written.push(text) });
    report.add({
      file: "test/b.test.ts",
      outcomes: [skipped("requires xfs: no mkfs.xfs"), { outcome: "passed", name: "x", detail: "" }],
      durationMs: 1,
    });
    report.end({ interrupted: false });
    const text = written.join("");
    assert.match(text, /test\/b\.test\.ts > clones: requires xfs: no mkfs\.xfs\n/);
    assert.ok(text.endsWith("\n1 passed, 0 failed, 1 skipped\n"));
  });
});
