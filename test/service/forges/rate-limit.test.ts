/** What is asked of GitHub while it says that a limit is reached: nothing. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Forge } from "../../../service/forges/forge.ts";
import { withinLimit } from "../../../service/forges/rate-limit.ts";
import { startGithub, type TestGithub } from "../../support/emulate.ts";

const REPOSITORY = { name: "shop", path: "acme/shop" };
const inAnHour = String(Math.ceil(Date.now() / 1000) + 3_600);

interface Limit {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const LIMITS: Readonly<Record<string, Limit>> = {
  "a primary limit": { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": inAnHour } },
  "a secondary limit with its time": { status: 403, headers: { "retry-after": "60" } },
  "a secondary limit without": { status: 403, body: '{"message":"You have exceeded a secondary rate limit."}' },
  "too many requests": { status: 429, headers: { "retry-after": "60" } },
};

describe("a rate limit of GitHub", () => {
  let github: TestGithub;
  before(async () => {
    github = await startGithub({ files: { "preview.yaml": "services: {}\n" } });
    await github.open({ gitBranch: "limited", files: { "l.txt": "l" } });
  });
  after(() => github.stop());

  const readAndList = async (forge: Forge) => {
    const reads = [await forge.read(REPOSITORY, 1), await forge.list(REPOSITORY)];
    assert.deepEqual(
      reads.map(({ kind }) => kind),
      ["unreachable", "unreachable"],
    );
  };

  for (const [name, limit] of Object.entries(LIMITS)) {
    it(`is asked nothing more behind ${name}`, async () => {
      const forge = await github.connect("token");
      const before = github.requests.length;
      const mend = github.fail({ path: /^/, ...limit });
      try {
        await readAndList(forge);
        mend();
        for (let again = 0; again < 10; again++) await readAndList(forge);
        assert.equal(github.requests.length - before, 1);
      } finally {
        mend();
      }
    });
  }

  it("is kept to by the last answer of its hour already, and by it alone", async () => {
    let now = 0;
    const asked: string[] = [];
    const answers: Record<string, string>[] = [
      { "x-ratelimit-remaining": "1", "x-ratelimit-reset": "100" },
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "100", "x-ratelimit-resource": "search" },
      { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "100" },
    ];
    const ask = withinLimit(
      async (url) => {
        asked.push(String(url));
        return new Response("{}", { headers: answers.shift() ?? {} });
      },
      { now: () => now },
    );
    for (const path of ["a", "b", "c"]) assert.equal((await ask(path)).status, 200);
    const refused = await ask("d");
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [403, "100"]);
    now = 100_000;
    assert.equal((await ask("e")).status, 200);
    assert.deepEqual(asked, ["a", "b", "c", "e"]);
  });

  it("is one for all repositories of an App's installation, and another one for another installation", async () => {
    const forge = await github.connect("app");
    const list = async (path: string) => (await forge.list({ name: path, path })).kind;
    const all = ["acme/shop", "acme/tools", "mallory/garden"];
    assert.deepEqual(await Promise.all(all.map(list)), ["found", "found", "found"]);
    const { headers = {} } = LIMITS["a primary limit"] ?? {};
    const mend = github.fail({ path: /^\/repos\/acme\/shop\//, status: 403, headers });
    try {
      assert.equal(await list("acme/shop"), "unreachable");
      mend();
      const before = github.requests.length;
      assert.deepEqual(await Promise.all(all.map(list)), ["unreachable", "unreachable", "found"]);
      const asked = github.requests.slice(before).map(({ path }) => path.split("?")[0]);
      assert.deepEqual(asked, ["/repos/mallory/garden/pulls"]);
    } finally {
      mend();
    }
  });

  it("is another one for another credential", async () => {
    const limited = await github.connect("token");
    const mend = github.fail({ path: /^/, status: 403, headers: { "retry-after": "60" } });
    await limited.read(REPOSITORY, 1);
    mend();
    assert.equal((await limited.read(REPOSITORY, 1)).kind, "unreachable");
    assert.equal((await (await github.connect("app")).read(REPOSITORY, 1)).kind, "found");
  });
});
