import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plain, table } from "../../../service/cli/output.ts";

describe("what strangers wrote", () => {
  it("reaches the terminal as text that it does not obey", () => {
    const ESC = String.fromCharCode(27);
    const hostile = `a${ESC}[2J${ESC}]0;title${String.fromCharCode(7)}b\r${String.fromCharCode(0x9b)}31mc\tü\n🐳`;
    assert.equal(plain(hostile), "abc\tü\n🐳");
  });
});

describe("a table", () => {
  const rows = [
    { key: "shop#1", title: "Try a quieter look in evening blue" },
    { key: "shop#22", title: "Say what one cup costs" },
  ];
  const columns = [
    { title: "KEY", value: ({ key }: (typeof rows)[number]) => key },
    { title: "TITLE", value: ({ title }: (typeof rows)[number]) => title, shrinks: true },
  ];
  const linesAt = (width: number | undefined) =>
    table(rows, columns, { stdout: { write: () => true, columns: width }, environment: {} }).split("\n");

  it("shows everything where nothing limits it", () => {
    assert.equal(linesAt(undefined)[1], "shop#1   Try a quieter look in evening blue");
  });

  it("cuts what may shrink to the window, and leaves it out where next to nothing would be left", () => {
    assert.equal(linesAt(32)[1], "shop#1   Try a quieter look i…");
    assert.ok(linesAt(32).every((line) => line.length <= 32));
    assert.deepEqual(linesAt(20), ["KEY", "shop#1", "shop#22"]);
  });
});
