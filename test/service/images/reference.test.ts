import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseChallenge } from "../../../service/images/challenge.ts";
import {
  imageFault,
  imageOf,
  isOfCommit,
  parseImage,
  pinnedName,
  withoutTag,
} from "../../../service/images/reference.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const DIGEST = `sha256:${"a".repeat(64)}`;

describe("an image's name", () => {
  const names: readonly [string, string, string, string?, string?][] = [
    ["redis:8", "docker.io", "library/redis", "8"],
    ["acme/shop:1", "docker.io", "acme/shop", "1"],
    ["docker.io/redis:8", "docker.io", "library/redis", "8"],
    ["index.docker.io/acme/shop", "docker.io", "acme/shop"],
    ["ghcr.io/acme/shop:1", "ghcr.io", "acme/shop", "1"],
    ["localhost/shop:1", "localhost", "shop", "1"],
    ["localhost:5000/shop:1", "localhost:5000", "shop", "1"],
    ["[::1]:5000/shop:1", "[::1]:5000", "shop", "1"],
    [`ghcr.io/acme/shop:1@${DIGEST}`, "ghcr.io", "acme/shop", "1", DIGEST],
    [`ghcr.io/acme/shop@${DIGEST}`, "ghcr.io", "acme/shop", undefined, DIGEST],
  ];
  for (const [text, host, repository, tag, digest] of names) {
    it(`is split: ${text}`, () => {
      const parts = { host, repository, ...(tag ? { tag } : {}), ...(digest ? { digest } : {}) };
      assert.deepEqual(parseImage(text), parts);
    });
  }

  const wrong = ["", "Shop:1", "ghcr.io/acme/shop:", "ghcr.io//shop:1", "https://ghcr.io/shop:1", "a b:1", "x@y:1:2"];
  for (const text of [...wrong, "ghcr.io/acme/shop@sha256:12", "ghcr.io/../etc:1", "user@ghcr.io/shop:1", "x:1?y"]) {
    it(`is none: "${text}"`, () => assert.equal(parseImage(text), undefined));
  }

  it("never leads to another address than the one it names", () => {
    const piece = fc.constantFrom(
      "a",
      "Z",
      "0",
      ".",
      "-",
      "_",
      ":",
      "/",
      "@",
      "?",
      "#",
      "%",
      "..",
      "sha256:",
      "ghcr.io",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        imageFault(text);
        const image = parseImage(text);
        if (!image || !URL.canParse(`http://${image.host}`)) return;
        const path = `/v2/${image.repository}/manifests/${image.digest ?? image.tag ?? "latest"}`;
        const url = new URL(`http://${image.host}${path}`);
        assert.equal(url.pathname, path);
        assert.equal(`${url.username}${url.search}${url.hash}`, "");
      }),
      { numRuns: 2000 },
    );
  });

  it("becomes that of a commit and of a digest", () => {
    assert.equal(imageOf("ghcr.io/acme/shop:{sha}", SHA), `ghcr.io/acme/shop:${SHA}`);
    assert.equal(imageOf("ghcr.io/acme/shop:sha-{shortSha}", SHA), "ghcr.io/acme/shop:sha-0123456");
    assert.equal(pinnedName({ host: "ghcr.io", repository: "acme/shop" }, DIGEST), `ghcr.io/acme/shop@${DIGEST}`);
    assert.equal(withoutTag("localhost:5000/shop"), "localhost:5000/shop");
  });

  it("is of one commit only by placeholder or digest", () => {
    const found = ["a/b:{sha}", "a/b:pr-{shortSha}", `a/b@${DIGEST}`, "a/b:1", "a/b"].map(isOfCommit);
    assert.deepEqual(found, [true, true, true, false, false]);
  });

  const faults: readonly [string, RegExp | undefined][] = [
    ["ghcr.io/acme/shop:{sha}", undefined],
    ["redis:8", undefined],
    [`redis@${DIGEST}`, undefined],
    ["ghcr.io/acme/shop", /has no tag.*write "ghcr.io\/acme\/shop:\{sha\}"/],
    ["ghcr.io/acme/shop:latest", /whatever is the latest; write "ghcr.io\/acme\/shop:\{sha\}"/],
    ["ghcr.io/acme/shop:{branch}", /unknown placeholder "\{branch\}"; known: \{sha\}/],
    ["ghcr.io/acme/shop:{sha", /unknown placeholder "\{sha"/],
    ["ghcr.io/acme/{sha}:1", /outside its tag/],
    ["https://ghcr.io/acme/shop:{sha}", /is no image name/],
  ];
  for (const [text, fault] of faults) {
    it(`${fault ? "is refused" : "is right"}: ${text}`, () => {
      if (fault) assert.match(imageFault(text) ?? "", fault);
      else assert.equal(imageFault(text), undefined);
    });
  }
});

describe("a registry's challenge", () => {
  const bearer = { scheme: "bearer", realm: "https://ghcr.io/token", service: "ghcr.io" } as const;
  const table: readonly [string | null, unknown][] = [
    [null, undefined],
    ["Negotiate", undefined],
    ['Basic realm="x"', { scheme: "basic" }],
    ['Bearer realm="https://ghcr.io/token",service="ghcr.io"', bearer],
    ['bearer realm="https://ghcr.io/token", service=ghcr.io, Basic realm="other"', bearer],
    ['Basic realm="other", Bearer realm="https://ghcr.io/token",service="ghcr.io"', bearer],
    [
      'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/shop:pull,push"',
      { ...bearer, scope: "repository:acme/shop:pull,push" },
    ],
    ["Bearer", undefined],
  ];
  for (const [header, challenge] of table) {
    it(`is read: ${header}`, () => assert.deepEqual(parseChallenge(header), challenge));
  }
});
