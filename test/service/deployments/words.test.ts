import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventWords } from "../../../service/deployments/words.ts";

const AT = "2026-11-22T10:00:00.000Z";
const said = (message: string, severity: "info" | "warning" | "error" = "info") =>
  eventWords({ at: AT, kind: "diagnostic", severity, message });

describe("what the engine says of a deployment", () => {
  it("is told, and its errors as problems", () => {
    assert.deepEqual(said("waiting for the pods"), { text: "waiting for the pods", kind: "engine" });
    assert.deepEqual(said("no quota left", "error"), { text: "no quota left", kind: "problem" });
  });

  it("leaves out where on this machine a plugin lies", () => {
    assert.equal(
      said("using pulumi-resource-stackling from $PATH at /opt/stackling/pulumi-resource-stackling"),
      undefined,
    );
  });
});
