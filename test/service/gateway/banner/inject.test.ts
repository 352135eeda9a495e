import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createInjector } from "../../../../service/gateway/banner/inject.ts";

const MARK = "<b-n>";
const POLICY = `<meta http-equiv="Content-Security-Policy" content="script-src 'self'">`;

function injector() {
  return createInjector({
    markup: MARK,
    amendPolicy: (policy) => (policy.includes("'self'") ? `${policy} "&" us` : policy),
  });
}

async function through(chunks: readonly Buffer[]): Promise<Buffer> {
  const transform = injector();
  const out = transform.toArray() as Promise<Buffer[]>;
  for (const chunk of chunks) transform.write(chunk);
  transform.end();
  return Buffer.concat(await out);
}

const bytes = (text: string) => Buffer.from(text, "latin1");
const inBytes = async (text: string) =>
  (await through([...bytes(text)].map((byte) => Buffer.of(byte)))).toString("latin1");
const atOnce = async (text: string) => (await through([bytes(text)])).toString("latin1");

/** A `|` stands where the element goes; without one the page stays as it is. */
const pages: Readonly<Record<string, string>> = {
  "a whole page": "<!doctype html><html><head><title>Shop</title>|</head><body>Hi</body></html>",
  "a page without a head": "<!doctype html><html>|<body>Hi</body></html>",
  "a page without anything but content": "<!doctype html>|<h1>Hi</h1>",
  "a fragment": "|<div>Hi</div><div>you</div>",
  "mere text": "|Hi you",
  "text behind a space": "  <title>x</title>|\r\n Hi",
  frames: "<html><head>|</head><frameset cols=50%,*><frame src=a></frameset></html>",
  "frames without a head": "<html>|<frameset rows=*><frame src=a></frameset></html>",
  "a head that lies about its end": "<head><title></head></title><script>'</head>'</script><!-- </head> -->|</head>",
  "a template with a body": "<head><template><body><template></template></head></template>|<body>",
  "a script that opens another": "<head><script><!--<script></script></head>--></script>|</head><p>",
  "noscript with content": "<head><noscript><p>no</p></noscript>|<p>yes",
  "attributes that look like tags": `<html data-x="<body>" lang='</head>'><head data-y=">">|</head>`,
  "old line ends": "<!doctype html>\r\n<head>\r\r\n<title>x</title>\r\n|</head>\r\n<body>\r\n",
  "capital letters": "<!DOCTYPE HTML><HTML><HEAD><TITLE>x</TITLE>|</HEAD><BODY>",
  "an end tag of nothing": "<head></p></foo>|</head>",
  "a body that was ended and not begun": "|</body>",
  "nulls and other letters": "<head><title>\0\xff\x80</title>|</head>\0\0",
  "an image that says it is a page": "|\x89PNG\r\n\x1a\n\0\0\0\rIHDR<head></head>",
  "two heads": "<head>|</head><head></head>",
  "a picture in the head": "<head><link href=x>|<svg><style></head></style></svg></head>",
  "white space alone": " \n |",
  "a head that never ends": "<html><head><title>x</title>\n|",
  "nothing at all": "",
  "a page cut short in its title": "<head><title>Sho",
  "a page cut short in a script": "<head><script>if (a </head",
  "a page cut short in a tag": "<head><link rel=style",
  "a page cut short in a template": "<template><p>",
  "a byte order mark": "\xef\xbb\xbf|Hi",
  "a byte order mark before a page": "\xef\xbb\xbf<!doctype html>|<p>",
  "a byte order mark alone": "\xef\xbb\xbf|",
  "two bytes": "|ab",
};

describe("the element in a page", () => {
  for (const [name, page] of Object.entries(pages)) {
    it(`goes to the end of the head, or before what ends it: ${name}`, async () => {
      const [before, wanted] = [page.replace("|", ""), page.replace("|", MARK)];
      assert.equal(await atOnce(before), wanted);
      assert.equal(await inBytes(before), wanted);
    });
  }

  it("comes to the same place however a page is cut into pieces, and changes no other byte", async () => {
    const token = fc.constantFrom(
      ..."<html> <head> </head> <body> <title> </title> <script> </script> <!-- --> <template> </template> <p class='<'> < > & \r\n \r \0 \xef\xbb\xbf é".split(
        " ",
      ),
      " ",
      "<!doctype html>",
    );
    const page = fc.array(token, { maxLength: 12 }).map((parts) => bytes(parts.join("")));
    await fc.assert(
      fc.asyncProperty(page, fc.array(fc.nat(60), { maxLength: 5 }), async (whole, cuts) => {
        const ends = [...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const cut = await through(ends.map((end, index) => whole.subarray(ends[index - 1] ?? 0, end)));
        const wanted = await through([whole]);
        assert.deepEqual(cut, wanted);
        assert.deepEqual(bytes(cut.toString("latin1").replace(MARK, "")), whole);
      }),
      { numRuns: 300 },
    );
  });

  it("amends the policies that stand in the head, wherever chunks end", async () => {
    const amended = POLICY.replace("'self'", "'self' &quot;&amp;&quot; us");
    const page = `<head>${POLICY}<META CONTENT='&#39;self&#39;' HTTP-EQUIV=content-security-policy>|</head>${POLICY}`;
    const wanted = page
      .replace("|", MARK)
      .replace(POLICY, amended)
      .replace("CONTENT='&#39;self&#39;'", `content="'self' &quot;&amp;&quot; us"`);
    assert.equal(await atOnce(page.replace("|", "")), wanted);
    assert.equal(await inBytes(page.replace("|", "")), wanted);
  });

  it("leaves metas that are no policy, or are none in ASCII, or are shown to nobody", async () => {
    for (const meta of [
      `<meta http-equiv="refresh" content="'self'">`,
      `<meta name="content-security-policy" content="'self'">`,
      `<meta http-equiv="content-security-policy">`,
      `<meta http-equiv=content-security-policy content=img-src&#32;x>`,
      `<meta http-equiv="content-security-policy" content="'self' \xe9">`,
      `<template>${POLICY}</template>`,
      `<!-- ${POLICY} -->`,
    ]) {
      assert.equal(await atOnce(`<head>${meta}</head>`), `<head>${meta}${MARK}</head>`);
    }
  });

  it("holds back nothing but what has begun and not ended", async () => {
    const transform = injector();
    let out = "";
    transform.on("data", (chunk: Buffer) => {
      out += chunk.toString("latin1");
    });
    const seen: string[] = [];
    for (const text of ["<!doctype html>\n<head><link>", "<title>a", "b</title><li", "nk></head>x", "<p", ">y"]) {
      await new Promise((resolve) => transform.write(bytes(text), resolve));
      await new Promise(setImmediate);
      seen.push(out);
      out = "";
    }
    assert.deepEqual(seen, [
      "<!doctype html>\n<head><link>",
      "<title>",
      "ab</title>",
      `<link>${MARK}</head>x`,
      "<p",
      ">y",
    ]);
  });

  it("lets mere text run through as it comes", async () => {
    const transform = injector();
    const first = new Promise((resolve) => transform.once("data", resolve));
    transform.write("Hello");
    assert.equal(String(await first), `${MARK}Hello`);
    transform.destroy();
  });

  it("lets a page go that is one tag for a megabyte", async () => {
    const whole = Buffer.concat([bytes("<head><link href='"), Buffer.alloc(3 * 1024 * 1024, "a"), bytes("'></head>")]);
    const chunks = Array.from({ length: 49 }, (_, index) => whole.subarray(index * 65_536, (index + 1) * 65_536));
    assert.deepEqual(await through(chunks), whole);
  });

  it("lets a page go that comes byte by byte, each of which would be read with all before it", async () => {
    const page = `<!--${"x".repeat(5_000)}`;
    const transform = injector();
    let out = "";
    transform.on("data", (chunk: Buffer) => {
      out += chunk.toString("latin1");
    });
    for (const byte of bytes(page)) await new Promise((resolve) => transform.write(Buffer.of(byte), resolve));
    assert.equal(out, page);
    transform.destroy();
  });

  it("reads no further than the head of a large page", async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, "<p>x</p>");
    const out = await through([bytes("<head></head>"), body]);
    assert.equal(out.length, "<head></head>".length + MARK.length + body.length);
  });
});
