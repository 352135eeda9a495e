import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { planetscaleDatabase } from "../../../components/database/planetscale.ts";
import { branchName, stackOf } from "../../../components/planetscale/branches.ts";
import * as operations from "../../../components/planetscale/operations.ts";
import {
  aBranch,
  aPassword,
  PLANETSCALE_ACCOUNT,
  PLANETSCALE_TOKEN,
  type PlanetscaleServer,
  startPlanetscaleServer,
} from "../../support/planetscale-server.ts";

const NAME = "stackling-0-none-shop-pr-1";
const HOUR_MS = 3_600_000;

let server: PlanetscaleServer;
beforeEach(async () => {
  server = await startPlanetscaleServer();
});
afterEach(() => server.close());

const options = (more = {}) => ({
  ...planetscaleDatabase.example().options,
  ...PLANETSCALE_ACCOUNT,
  apiUrl: server.url,
  ...more,
});
const context = () => ({ options: options(), stack: "shop-pr-1" });
const until = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();

describe("a branch's name", () => {
  it("tells its stack, whatever generation and baseline are", () => {
    for (const name of [branchName("shop-pr-1", 0), branchName("shop-pr-1", 12, "main-3")]) {
      assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
      assert.equal(stackOf({ name }), "shop-pr-1");
    }
    for (const name of ["main", "stackling", "stackling-x-none-shop", "my-stackling-0-none-shop"]) {
      assert.equal(stackOf({ name }), undefined);
    }
  });
});

describe("what Stackling owns at PlanetScale", () => {
  it("are branches by its names on all pages, and none that serves production", async () => {
    server.branches.push(
      aBranch({ name: "feature" }),
      aBranch({ name: NAME }),
      aBranch({ name: "stackling-0-none-blog-pr-2" }),
      aBranch({ name: "stackling-0-none-shop-pr-9", production: true }),
    );
    const found = await operations.owned(options());
    assert.deepEqual(
      found.map(({ id, stack }) => [id, stack]),
      [
        [NAME, "shop-pr-1"],
        ["stackling-0-none-blog-pr-2", "blog-pr-2"],
      ],
    );
  });

  it("is never a whole list that was read in part", async () => {
    server.branches.push(aBranch({ name: "feature" }), aBranch({ name: NAME }));
    server.failures.push({ status: 200 }, { status: 404 });
    await assert.rejects(operations.owned(options()), /not PlanetScale's API|sees no database/);
  });
});

describe("renewing a password", () => {
  it("gives it a day from now and says when it ends", async () => {
    const password = aPassword(NAME, { expires_at: until(3) });
    server.branches.push(aBranch({ name: NAME }));
    server.passwords.push(password);
    assert.equal(await operations.renew(context()), password.expires_at);
    assert.ok(Date.parse(password.expires_at) > Date.now() + 23 * HOUR_MS);
  });

  it("leaves those of others alone, and one that ended beside a valid one", async () => {
    const ended = aPassword(NAME, { expires_at: until(-1) });
    const other = aPassword("stackling-0-none-blog-pr-2", { expires_at: until(3) });
    const valid = aPassword(NAME, { expires_at: until(3) });
    server.branches.push(aBranch({ name: NAME }), aBranch({ name: other.branch }));
    server.passwords.push(ended, other, valid);
    const before = structuredClone([ended, other]);
    assert.equal(await operations.renew(context()), valid.expires_at);
    assert.deepEqual([ended, other], before);
  });

  it("says when the only one ended, and keeps no update from making another", async () => {
    const ended = aPassword(NAME, { expires_at: until(-1) });
    server.branches.push(aBranch({ name: NAME }));
    server.passwords.push(aPassword(NAME, { expires_at: until(-2) }), ended);
    assert.equal(await operations.renew(context()), ended.expires_at);
  });

  it("has nothing to do where there is none", async () => {
    assert.equal(await operations.renew(context()), undefined);
    server.branches.push(aBranch({ name: NAME }));
    assert.equal(await operations.renew(context()), undefined);
  });

  it("fails where PlanetScale cannot be asked, so that it is tried again", async () => {
    server.branches.push(aBranch({ name: NAME }));
    server.passwords.push(aPassword(NAME));
    server.failures.push({ on: `POST /branches/${NAME}/passwords/${server.passwords[0]?.id}/renew`, status: 500 });
    await assert.rejects(operations.renew(context()), /PlanetScale cannot do it now/);
  });
});

describe("explaining", () => {
  it("says that a branch is being made, is missing, or that nobody can log in any more", async () => {
    assert.match((await operations.explain(context())) ?? "", /does not exist at PlanetScale/);
    const branch = aBranch({ name: NAME, ready: false });
    server.branches.push(branch);
    assert.match((await operations.explain(context())) ?? "", /still making/);
    branch.ready = true;
    server.passwords.push(aPassword(NAME, { expires_at: until(-1) }));
    assert.match((await operations.explain(context())) ?? "", /no password that is still valid; redeploy/);
    server.passwords.push(aPassword(NAME));
    assert.equal(await operations.explain(context()), undefined);
  });
});

describe("checking PlanetScale", () => {
  it("finds each branch that previews start from", async () => {
    const found = await operations.check(options({ baselines: { main: { branch: "masked", withData: true } } }));
    assert.deepEqual(
      found.map(({ ok }) => ok),
      [true, true, false],
    );
    assert.match(found[2]?.what ?? "", /no branch "masked" for previews/);
  });

  it("looks whether the branch takes deploy requests that they go into", async () => {
    server.branches.push(
      aBranch({ name: "loose", production: true, safe_migrations: false }),
      aBranch({ name: "development" }),
    );
    const found = async (deployInto: string) => (await operations.check(options({ deployInto }))).at(-1);
    assert.equal((await found("main"))?.ok, true);
    assert.match((await found("loose"))?.what ?? "", /has no safe migrations/);
    assert.match((await found("development"))?.what ?? "", /is no production branch/);
    assert.match((await found("gone"))?.what ?? "", /there is none of that name/);
  });

  it("says what the token does not see or may not do, and never says the token", async () => {
    const [unseen] = await operations.check(options({ database: "other" }));
    assert.match(unseen?.what ?? "", /sees no database "other" of organization "acme"/);
    process.env.STACKLING_TEST_PLANETSCALE = "another word";
    const [refused] = await operations.check(options());
    process.env.STACKLING_TEST_PLANETSCALE = PLANETSCALE_TOKEN;
    assert.match(refused?.what ?? "", /refuses the credential/);
    assert.doesNotMatch(refused?.what ?? "", /another word/);
  });
});
