import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BackingInputs, backingResource } from "../../../components/local/backing.ts";

const inputs = (options: BackingInputs["options"], placedBy: readonly string[]): BackingInputs => ({
  kind: "kafka",
  options,
  placedBy,
  topics: [],
  generation: 0,
});
const replaces = (before: BackingInputs, after: BackingInputs) =>
  backingResource.diff({ ...before, values: {}, addresses: [], password: "word" }, after);

describe("a part of a server that previews share", () => {
  it("goes, with its data, when the server is another one", () => {
    const at = (url: string) => inputs({ url }, ["url"]);
    assert.deepEqual(replaces(at("http://a"), at("http://b")).replaces, ["kind", "options"]);
    assert.deepEqual(replaces(at("http://a"), at("http://a")), { changes: false, replaces: [] });
  });

  it("stays when a cluster is asked at other members too, and goes when it is at none of them", () => {
    const at = (...brokers: string[]) => inputs({ brokers }, ["brokers"]);
    assert.deepEqual(replaces(at("a:9092"), at("b:9092", "a:9092")), { changes: true, replaces: [] });
    assert.deepEqual(replaces(at("a:9092"), at("b:9092")).replaces, ["kind", "options"]);
  });
});
