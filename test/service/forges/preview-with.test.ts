import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LINKS_MAX, parseLink, readPreviewWith } from "../../../service/forges/preview-with.ts";

describe("reading Preview-With in a description", () => {
  const said = (description: string | null) => readPreviewWith(description).previewWith;

  it("finds lines of their own, whatever their case, and each once", () => {
    const text =
      "Adds a cart.\r\n\r\nPreview-With: acme/api#7\r\npreview-with:`acme/mail#3`  \nPREVIEW-WITH: acme/api#7\n";
    assert.deepEqual(said(text), ["acme/api#7", "acme/mail#3"]);
  });

  it("finds nothing in prose, code blocks, HTML comments or an empty description", () => {
    const none = [
      "See Preview-With: acme/api#7",
      "Preview-With:",
      "```\nPreview-With: acme/api#7\n```",
      "~~~ text\nPreview-With: acme/api#7\n```\n",
      "<!--\nPreview-With: acme/api#7\n-->",
      "",
      null,
    ];
    assert.deepEqual(
      none.map(said),
      none.map(() => undefined),
    );
  });

  it("reads on behind a code block that ends, and behind a comment that does not", () => {
    assert.deepEqual(said("```\n```\nPreview-With: a/b#1"), ["a/b#1"]);
    assert.deepEqual(said("<!-- \nPreview-With: a/b#1"), ["a/b#1"]);
  });

  it("keeps one more than may count of ten thousand lines, cut to a length that fits a comment", () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `Preview-With: acme/${"a".repeat(500)}${index}`);
    assert.deepEqual(
      said(lines.map((line, index) => `${line.slice(0, 20)}${index}`).join("\n"))?.length,
      LINKS_MAX + 1,
    );
    assert.deepEqual(
      said(lines.join("\n"))?.map((one) => one.length),
      [120],
    );
  });

  it("reads no more of a description than people write", () => {
    assert.equal(said(`${"x".repeat(1_000_000)}\nPreview-With: a/b#1`), undefined);
    assert.equal(said("<!--".repeat(250_000)), undefined);
  });

  it("knows a pull request by path or name and number, and by its page", () => {
    const known = {
      "acme/api#7": ["acme/api", 7],
      "api#7": ["api", 7],
      "group/sub/api!12": ["group/sub/api", 12],
      "https://github.com/acme/api/pull/7": ["acme/api", 7],
      "https://codeberg.org/acme/api/pulls/7": ["acme/api", 7],
      "https://gitlab.com/group/api/-/merge_requests/7/": ["group/api", 7],
    };
    for (const [text, [repository, number]] of Object.entries(known)) {
      assert.deepEqual(parseLink(text), { repository, number }, text);
    }
    for (const text of [
      "acme/api",
      "#7",
      "acme/api#0",
      "acme/api#7 acme/b#1",
      "../../etc#1x",
      "https://x/acme/api",
      "",
    ]) {
      assert.equal(parseLink(text), undefined, text);
    }
  });
});
