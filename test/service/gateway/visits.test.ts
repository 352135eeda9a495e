import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../../../service/gateway/addresses.ts";
import { countsAsVisit } from "../../../service/gateway/visits.ts";

const HEALTH = new Set(["/health"]);
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

describe("a visit", () => {
  const counted: readonly [string, { method?: string; url?: string; agent?: string; purpose?: string }, boolean][] = [
    ["a person's page", {}, true],
    ["a form", { method: "POST" }, true],
    ["curl", { agent: "curl/8.5.0" }, true],
    ["no user agent", { agent: "" }, true],
    ["a phone whose maker is called Cubot", { agent: "Mozilla/5.0 (Linux; Android 9; CUBOT NOTE 20)" }, true],
    ["an in-app browser", { agent: `${FIREFOX} Twitter for iPhone` }, true],
    ["HEAD", { method: "HEAD" }, false],
    ["a preflight", { method: "OPTIONS" }, false],
    ["a health path", { url: "/health?x=1" }, false],
    ["what only begins like one", { url: "/healthy" }, true],
    ["a prefetch", { purpose: "prefetch;prerender" }, false],
    ["a Slack unfurl", { agent: "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)" }, false],
    ["a Discord unfurl", { agent: "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)" }, false],
    ["a crawler", { agent: "Mozilla/5.0 (compatible; Googlebot/2.1)" }, false],
    ["WhatsApp", { agent: "WhatsApp/2.23.20.0" }, false],
    ["a Bing preview", { agent: `${FIREFOX} BingPreview/1.0b` }, false],
    ["an image that GitHub fetches for a comment", { agent: "github-camo (876de43e)" }, false],
    ["a monitor", { agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36 DatadogSynthetics" }, false],
    ["a cluster's probe", { agent: "kube-probe/1.33" }, false],
    ["our own probe", { agent: "stackling/0.1.0" }, false],
  ];
  for (const [what, { method = "GET", url = "/", agent = FIREFOX, purpose }, expected] of counted) {
    it(`${expected ? "is" : "is not"} ${what}`, () => {
      const headers = { "user-agent": agent, ...(purpose ? { "sec-purpose": purpose } : {}) };
      assert.equal(countsAsVisit({ method, url, headers }, HEALTH), expected);
    });
  }
});

describe("an address", () => {
  it("is host and port, and nothing else", () => {
    assert.deepEqual(parseAddress("127.0.0.1:80"), { protocol: "http:", host: "127.0.0.1", port: 80 });
    assert.deepEqual(parseAddress("[::1]:8080"), { protocol: "http:", host: "::1", port: 8080 });
    assert.deepEqual(parseAddress("web.shop.svc:3000"), { protocol: "http:", host: "web.shop.svc", port: 3000 });
    for (const wrong of ["", "host", "host:", "host:0", "host:65536", ":80", "a b:80", "http://host:80", "::1:80"]) {
      assert.equal(parseAddress(wrong), undefined, wrong);
    }
  });
});
