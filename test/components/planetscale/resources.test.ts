import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { StacklingError, TerminalError } from "../../../components/errors.ts";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { branchResource } from "../../../components/planetscale/branch-resource.ts";
import { connectionUrl, passwordResource } from "../../../components/planetscale/password-resource.ts";
import {
  aBranch,
  aPassword,
  PLANETSCALE_ACCOUNT,
  PLANETSCALE_TOKEN,
  type PlanetscaleServer,
  startPlanetscaleServer,
} from "../../support/planetscale-server.ts";

const NAME = "stackling-0-none-shop-pr-1";
const TWO_HOURS_AGO = new Date(Date.now() - 2 * 60 * 60_000).toISOString();

let server: PlanetscaleServer;
beforeEach(async () => {
  server = await startPlanetscaleServer();
});
afterEach(() => server.close());

const account = () => ({ ...PLANETSCALE_ACCOUNT, apiUrl: server.url });
const branch = (more = {}) => ({ account: account(), name: NAME, from: "main", withData: false, ...more });
const password = (more = {}) => ({
  account: account(),
  branch: NAME,
  name: "stackling-admin-0",
  role: "admin" as const,
  urlParameters: "sslaccept=strict",
  ...more,
});
const context = (more: Partial<ResourceContext> = {}): ResourceContext => ({
  settings: { dataDir: "/nowhere" },
  stack: "shop-pr-1",
  admit: async () => undefined,
  signal: new AbortController().signal,
  log: () => undefined,
  ...more,
});
const createBranch = (more = {}) => branchResource.create(context(), branch(more), "branch");
const createPassword = (more = {}) => passwordResource.create(context(), password(more), "password");
const named = () => server.branches.map(({ name }) => name);

describe("a branch at PlanetScale", () => {
  it("is made of its parent and is whole when PlanetScale says so, however slow", async () => {
    server.slowness = 2;
    const { id } = await createBranch();
    const [, made] = server.branches;
    assert.equal(made?.id, id);
    assert.deepEqual([made?.name, made?.parent_branch, made?.ready, made?.seeded], [NAME, "main", true, false]);
  });

  it("brings the parent's rows only where that is asked", async () => {
    await createBranch({ withData: true });
    assert.equal(server.branches[1]?.seeded, true);
  });

  it("is refused by name where its parent is missing", async () => {
    await assert.rejects(createBranch({ from: "gone" }), (error) => {
      assert.ok(error instanceof TerminalError);
      assert.equal(error.reason, "SpecInvalid");
      assert.match(error.message, /baseline branch "gone" does not exist in PlanetScale's database "shop"/);
      return true;
    });
  });

  it("is what a create left that died before it could say so", async () => {
    server.branches.push(aBranch({ name: NAME }));
    const { id } = await createBranch();
    assert.deepEqual(named(), ["main", NAME]);
    assert.equal(id, server.branches[1]?.id);
  });

  it("is what a create made whose answer was lost, at the next try", async () => {
    server.failures.push({ on: "POST /branches", status: 502, after: true });
    await assert.rejects(createBranch(), /PlanetScale cannot do it now/);
    assert.deepEqual(named(), ["main", NAME]);
    await createBranch();
    assert.deepEqual(named(), ["main", NAME]);
  });

  for (const [what, other] of [
    ["has stood there for long", { created_at: TWO_HOURS_AGO }],
    ["was made of another parent", { parent_branch: "staging" }],
    ["was made a production branch", { production: true }],
  ] as const) {
    it(`is never one of its name that ${what}`, async () => {
      server.branches.push(aBranch({ name: NAME, ...other }));
      await assert.rejects(createBranch(), (error) => error instanceof TerminalError && error.reason === "NameTaken");
      assert.deepEqual(named(), ["main", NAME]);
    });
  }

  it("is gone after a create that could not finish it", async () => {
    const stop = new AbortController();
    server.slowness = 1_000;
    const creating = branchResource.create(context({ signal: stop.signal }), branch(), "branch");
    stop.abort();
    await assert.rejects(creating);
    // What an aborted run leaves is the next create's.
    server.slowness = 0;
    await createBranch();
    assert.deepEqual(named(), ["main", NAME]);
  });

  it("is not deleted in the place of another that took its name", async () => {
    server.branches.push(aBranch({ name: NAME }));
    await branchResource.delete(context(), "another", branch());
    assert.deepEqual(named(), ["main", NAME]);
    assert.equal(await branchResource.read(context(), "another", branch()), undefined);
  });

  it("is not deleted once somebody made it a production branch", async () => {
    const { id } = await createBranch();
    const [, made] = server.branches;
    assert.ok(made);
    made.production = true;
    await assert.rejects(branchResource.delete(context(), id, branch()), /made it a production branch/);
    assert.deepEqual(named(), ["main", NAME]);
  });

  it("is gone after two deletes", async () => {
    const { id } = await createBranch();
    await branchResource.delete(context(), id, branch());
    await branchResource.delete(context(), id, branch());
    assert.deepEqual(named(), ["main"]);
  });

  it("is another one for another name, and the same where only the token moved or the parent changed", () => {
    const moved = { ...account(), serviceToken: { file: "/run/token" } };
    assert.deepEqual(branchResource.diff(branch(), branch({ name: "other" })).replaces, ["name"]);
    assert.deepEqual(branchResource.diff(branch(), branch({ account: moved })), { changes: true, replaces: [] });
    assert.deepEqual(branchResource.diff(branch(), branch({ from: "other" })), { changes: false, replaces: [] });
  });
});

describe("a password at PlanetScale", () => {
  beforeEach(async () => {
    await createBranch();
  });

  it("is good for a day and told as a URL of MySQL with TLS", async () => {
    const { id, state } = await createPassword();
    const [made] = server.passwords;
    assert.equal(made?.id, id);
    assert.deepEqual([made?.role, made?.ttl_seconds, made?.name], ["admin", 86_400, "stackling-admin-0"]);
    const word = encodeURIComponent(`pscale_pw_${id}/+`);
    assert.equal(state.url, `mysql://${made?.username}:${word}@aws.connect.psdb.cloud:3306/shop?sslaccept=strict`);
    assert.doesNotThrow(() => new URL(state.url));
  });

  it("says TLS as mysql2 reads it", () => {
    const login = { username: "u", word: "w", host: "h" };
    const url = new URL(connectionUrl(login, "shop", 'ssl={"rejectUnauthorized":true}'));
    assert.deepEqual(JSON.parse(url.searchParams.get("ssl") ?? ""), { rejectUnauthorized: true });
  });

  it("takes the place of one that a killed create told nobody", async () => {
    server.passwords.push(aPassword(NAME), aPassword(NAME, { name: "of a person" }));
    const { id } = await createPassword();
    assert.deepEqual(server.passwords.map((one) => one.id === id || one.name).sort(), ["of a person", true]);
  });

  it("lives until it is revoked or ended, and so is made anew then", async () => {
    const { id, state } = await createPassword();
    assert.equal(await passwordResource.lives?.(id, state), true);
    const [made] = server.passwords;
    assert.ok(made);
    made.expires_at = new Date(Date.now() - 1_000).toISOString();
    assert.equal(await passwordResource.lives?.(id, state), false);
    assert.equal(await passwordResource.read(context(), id, state), undefined);
    server.passwords.length = 0;
    assert.equal(await passwordResource.lives?.(id, state), false);
  });

  it("stays when its URL alone is to be said otherwise, so that what serves keeps it", async () => {
    const { id, state } = await createPassword();
    const wanted = password({ urlParameters: "ssl={}" });
    assert.deepEqual(passwordResource.diff(state, wanted), { changes: true, replaces: [] });
    const after = await passwordResource.update?.(context(), id, state, wanted);
    assert.equal(after?.url, state.url.replace("sslaccept=strict", "ssl=%7B%7D"));
    assert.equal(passwordResource.diff(after ?? state, wanted).changes, false);
  });

  it("is another one in another database, whose branch bears the same name", () => {
    const state = { ...password(), url: "mysql://" };
    const moved = { ...state.account, database: "other" };
    assert.deepEqual(passwordResource.diff(state, password({ account: moved })).replaces, ["account"]);
  });

  it("is another one for another role, branch or rotation", () => {
    const state = { ...password(), url: "mysql://" };
    for (const more of [{ role: "readwriter" }, { branch: "other" }, { name: "stackling-admin-1" }]) {
      assert.deepEqual(passwordResource.diff(state, { ...password(), ...more } as never).replaces, Object.keys(more));
    }
    assert.deepEqual(passwordResource.diff(state, password()), { changes: false, replaces: [] });
  });

  it("is revoked once, and twice is no failure", async () => {
    const { id, state } = await createPassword();
    await passwordResource.delete(context(), id, state);
    await passwordResource.delete(context(), id, state);
    assert.deepEqual(server.passwords, []);
  });
});

describe("PlanetScale's refusals", () => {
  it("are waited for where it asks for patience", async () => {
    server.failures.push({ status: 429 }, { status: 503 });
    await createBranch();
    assert.deepEqual(named(), ["main", NAME]);
  });

  it("say that the plan is full, and how to make room", async () => {
    const on = "POST /branches";
    server.failures.push({ on, status: 403, message: "You have reached the limit of branches" });
    await assert.rejects(createBranch(), /no room for another.*close a preview/);
    server.failures.push({ on, status: 402, message: "Payment required" });
    await assert.rejects(createBranch(), /no room for another/);
  });

  it("name the credential's failure without the credential", async () => {
    process.env.STACKLING_TEST_PLANETSCALE = "pscale_tkn_of_yesterday";
    await assert.rejects(createBranch(), (error) => {
      assert.ok(error instanceof StacklingError);
      assert.equal(error.reason, "TargetForbidden");
      assert.doesNotMatch(error.message, /pscale_tkn/);
      return true;
    });
    process.env.STACKLING_TEST_PLANETSCALE = PLANETSCALE_TOKEN;
  });
});
