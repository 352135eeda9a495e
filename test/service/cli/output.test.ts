import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plain } from "../../../service/cli/output.ts";

describe("what strangers wrote", () => {
  it("reaches the terminal as text that it does not obey", () => {
    const ESC = String.fromCharCode(27);
    const hostile = `a${ESC}[2J${ESC}]0;title${String.fromCharCode(7)}b\r${String.fromCharCode(0x9b)}31mc\tü\n🐳`;
    assert.equal(plain(hostile), "abc\tü\n🐳");
  });
});
