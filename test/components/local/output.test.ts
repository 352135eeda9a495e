import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { followOutput, LINE_MAX, lineHider, shownLine } from "../../../components/local/output.ts";
import { eventually } from "../../support/eventually.ts";

const SECRET = "hunter2-very-secret";

describe("a line of a program's output", () => {
  it("holds nothing that a terminal would obey, nor what turns text around", () => {
    assert.equal(shownLine("\u001b[31mred\u001b[0m \u001b]0;title\u0007bell\b"), "red bell");
    assert.equal(shownLine("\u001b]8;;https://a\u001b\\link\u001b]8;;\u001b\\ \u001b]0;no end"), "link 0;no end");
    assert.equal(shownLine("safe\u202Egnp.exe\u2028next"), "safe\uFFFDgnp.exe\uFFFDnext");
    assert.equal(shownLine("tab\tstays\u0000"), "tab\tstays");
  });

  it("is the last state of a progress bar that draws over itself", () => {
    assert.equal(shownLine("10 %\r 50 %\r100 %\r"), "100 %");
  });

  it("holds no secret, also where escapes cut it apart or it lies across the cut", () => {
    assert.doesNotMatch(shownLine(`key ${SECRET}`, lineHider([SECRET])), /hunter2/);
    assert.doesNotMatch(shownLine(`key hunter2\u001b[1m-very-secret`, lineHider([SECRET])), /very-secret/);
    const across = shownLine(`${"x".repeat(LINE_MAX - 6)}${SECRET}`, lineHider([SECRET]));
    assert.doesNotMatch(across, /hunter/);
    assert.match(shownLine("postgres://me:pass@host/db"), /\[redacted\]@host/);
  });

  it("is cut where it is long, within a moment", () => {
    assert.ok(shownLine("a".repeat(10_000_000)).length <= LINE_MAX + 2);
    // Seconds each, where a look at one begins anew for each of its parts.
    for (const part of ["\u001b]8;;", "\u001b]a;", "\u001b]8;;http://a"]) {
      const lines = Array.from({ length: 40 }, () => shownLine(part.repeat(20_000)));
      assert.ok(lines.every((line) => line.length <= LINE_MAX + 2));
    }
  });
});

describe("following what programs print", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-output-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function follow(name: string, before = "") {
    const path = join(folder, name);
    await writeFile(path, before);
    const seen: string[] = [];
    const following = followOutput({
      path,
      from: Buffer.byteLength(before),
      secrets: [SECRET, "first line\nsecond line"],
      onLines: (lines) => seen.push(...lines),
    });
    return { path, seen, stop: following.stop };
  }

  it("tells lines while the program runs, and the rest at its end", async () => {
    const { path, seen, stop } = await follow("live", "of an earlier run\n");
    await appendFile(path, "one\ntw");
    await eventually(() => seen.length > 0, { what: "the first line" });
    assert.deepEqual(seen, ["one"]);
    await appendFile(path, `o\nwith ${SECRET}\nsecond line\nno end`);
    await stop();
    assert.deepEqual(seen, ["one", "two", "with [redacted]", "[redacted]", "no end"]);
  });

  it("begins anew where the program cut its own log", async () => {
    const { path, seen, stop } = await follow("cut");
    await appendFile(path, "a long line before\n");
    await eventually(() => seen.length === 1, { what: "its first line" });
    await truncate(path, 0);
    await appendFile(path, "anew\n");
    await stop();
    assert.deepEqual(seen, ["a long line before", "anew"]);
  });

  it("leaves out the middle of what is printed too fast, and says so", async () => {
    const { path, seen, stop } = await follow("flood");
    const line = `${"y".repeat(99)}\n`;
    await appendFile(path, `${line.repeat(20_000)}the end\n`);
    await stop();
    assert.ok(seen.length < 2_000, `${seen.length}`);
    assert.ok(seen.some((text) => /KB left out/.test(text)));
    assert.ok(seen.every((text) => text === "the end" || text.startsWith("…") || text.length === 99));
    assert.equal(seen.at(-1), "the end");
  });

  it("holds little of a line without an end", async () => {
    const { path, seen, stop } = await follow("endless");
    for (let part = 0; part < 5; part++) await appendFile(path, "z".repeat(30_000));
    await appendFile(path, "\nafter\n");
    await stop();
    assert.ok(seen.every((text) => text.length <= LINE_MAX + 2));
    assert.equal(seen.at(-1), "after");
  });
});
