import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mayChange } from "../../../service/cli/pulumi.ts";

describe("pulumi by hand", () => {
  for (const line of ["stack", "stack output --json", "preview --refresh", "logs", "config get x", "--version", ""]) {
    it(`leaves the preview as it is after "${line}"`, () => assert.equal(mayChange(words(line)), false));
  }
  for (const line of [
    "destroy --yes",
    "-C . up",
    "refresh",
    "state delete URN",
    "stack rm",
    "stack import",
    "cancel",
  ]) {
    it(`has the preview put right after "${line}"`, () => assert.equal(mayChange(words(line)), true));
  }
});

function words(line: string): string[] {
  return line.split(" ").filter(Boolean);
}
