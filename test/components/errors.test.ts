import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ConflictError,
  decodeFromEngine,
  encodeForEngine,
  StacklingError,
  TerminalError,
  toldToEngine,
} from "../../components/errors.ts";

const details = { reason: "BuildFailed", userMessage: 'building "web": exit code 1', excerpt: ["ünïcode", "line: 2"] };

describe("an error on its way through the engine", () => {
  for (const Class of [StacklingError, TerminalError, ConflictError]) {
    it(`stays a ${Class.name} with its reason and excerpt, without its cause`, () => {
      const text = encodeForEngine(new Class({ ...details, cause: new Error("secret") }));
      const decoded = decodeFromEngine(`error: rpc error: code = Unknown desc = ${text}\n\nUpdate failed.`);
      assert.equal(decoded?.constructor, Class);
      assert.partialDeepStrictEqual({ ...decoded }, details);
      assert.equal(decoded?.cause, undefined);
    });
  }

  it("begins with its message, for people who use the CLI", () => {
    assert.ok(encodeForEngine(new TerminalError(details)).startsWith(`${details.userMessage}\n`));
  });

  for (const text of ["", "boom", "stackling-error: ", "stackling-error: e30", "stackling-error: bm9uc2Vuc2U"]) {
    it(`is not found in ${JSON.stringify(text)}`, () => assert.equal(decodeFromEngine(text), undefined));
  }
});

describe("a program's own failure", () => {
  it("keeps kind and reason in the text that the engine carries", async () => {
    const failing = toldToEngine(async () => {
      throw new TerminalError(details);
    });
    const told = await failing.catch((error: Error) => error.message);
    assert.ok(decodeFromEngine(String(told)) instanceof TerminalError);
  });

  it("stays as it is when it is none of ours", async () => {
    const other = new Error("boom");
    await assert.rejects(
      toldToEngine(async () => {
        throw other;
      }),
      (error) => error === other,
    );
  });
});
