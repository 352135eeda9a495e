/** Previews whose databases are branches by a vendor's management API: the service, its engine and a played vendor. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { PLANETSCALE_TOKEN, type PlanetscaleServer, startPlanetscaleServer } from "../support/planetscale-server.ts";
import { requires } from "../support/requires.ts";
import { SUPABASE_PROJECT, type SupabaseServer, startSupabaseServer } from "../support/supabase-server.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { whereIs } from "./support/oracle.ts";
import { tinyApp } from "./support/tiny-app.ts";

const SERVER = `
import { createServer } from "node:http";
const { DATABASE_URL, SUPABASE_URL, SUPABASE_ANON_KEY } = process.env;
createServer((request, response) => {
  response.end(JSON.stringify({ DATABASE_URL, SUPABASE_URL, SUPABASE_ANON_KEY }));
}).listen(process.env.PORT, "127.0.0.1");
`;

/** Two updates of a real engine, on a machine that has other things to do. */
const PATIENT = { timeoutMs: 90_000 };

describe("a preview whose database is a branch at a vendor", requires("engine", "postgres"), () => {
  let planetscale: PlanetscaleServer;
  let supabase: SupabaseServer;
  let mysql: TestRepository;
  let blog: TestRepository;
  let instance: Instance;

  before(async () => {
    planetscale = await startPlanetscaleServer();
    supabase = await startSupabaseServer();
    const files = tinyApp({ text: "main", server: SERVER });
    mysql = await createRepository({ files });
    blog = await createRepository({ files });
    for (const repository of [mysql, blog]) await repository.commit("open", { "text.txt": "one" }, "Say one");
    instance = await prepareInstance({ config: (port) => configOf(port) });
    await instance.start();
  });
  after(async () => {
    await instance?.remove();
    for (const repository of [mysql, blog]) await repository?.remove();
    for (const server of [planetscale, supabase]) await server?.close();
  });

  const configOf = (port: number) =>
    JSON.stringify({
      port,
      targets: {
        planetscale: {
          database: {
            driver: "planetscale",
            organization: "acme",
            database: "shop",
            serviceTokenId: { env: "STACKLING_TEST_PLANETSCALE_ID" },
            serviceToken: { env: "STACKLING_TEST_PLANETSCALE" },
            parent: "main",
            deployInto: "main",
            apiUrl: planetscale.url,
          },
        },
        supabase: {
          database: {
            driver: "supabase",
            project: SUPABASE_PROJECT,
            accessToken: { env: "STACKLING_TEST_SUPABASE" },
            apiUrl: supabase.url,
          },
        },
      },
      repositories: [
        { path: mysql.path, name: "mysql", target: "planetscale" },
        { path: blog.path, name: "blog", target: "supabase" },
      ],
    });
  const live = (key: string) => instance.waitFor(key, ({ condition }) => condition === "Ready", "is live");
  const environmentOf = async (url: string) => JSON.parse((await instance.get(url)).text) as Record<string, string>;
  const branches = () => [planetscale, supabase].map(({ branches: all }) => all.map(({ name }) => name).slice(1));

  it("serves on a branch and a login of its own, which the vendor told once", async () => {
    planetscale.changed.add("stackling-0-none-mysql-pr-1");
    const [shop, other] = [await live("mysql#1"), await live("blog#1")];
    assert.deepEqual(branches(), [["stackling-0-none-mysql-pr-1"], ["stackling/blog-pr-1/0"]]);
    const [password] = planetscale.passwords;
    const { DATABASE_URL: url } = await environmentOf(shop.url ?? "");
    assert.ok(url?.startsWith(`mysql://${password?.username}:`), url);
    const ref = supabase.branches[1]?.project_ref ?? "";
    const found = await environmentOf(other.url ?? "");
    assert.ok(found.DATABASE_URL?.startsWith(`postgres://postgres.${ref}:`), found.DATABASE_URL);
    assert.equal(found.SUPABASE_URL, `https://${ref}.supabase.co`);
    assert.equal(found.SUPABASE_ANON_KEY, `anon of ${ref}`);
  });

  it("proposes what its migrations changed", async () => {
    await eventually(async () => planetscale.deployRequests.some(({ state }) => state === "open"));
  });

  it("writes no token of the vendor and no password in plain", async () => {
    const word = `pscale_pw_${planetscale.passwords[0]?.id}`;
    for (const secret of [PLANETSCALE_TOKEN, word]) {
      // What a process is started with is its own user's; what is taken out of logs must be known.
      const meant = /\/(launch\.json|hidden\/\w+\.json)$/;
      const places = (await whereIs(secret, instance.dataDir)).filter((place) => !meant.test(place));
      assert.deepEqual(places, []);
    }
  });

  it("gets another branch by a reset, and leaves nothing when it is taken down", async () => {
    await instance.client.act("mysql#1", { action: "reset-db" });
    const isAnew = async () => branches()[0]?.join() === "stackling-1-none-mysql-pr-1";
    await eventually(isAnew, PATIENT);
    await live("mysql#1");
    await Promise.all([mysql.deleteBranch("open"), blog.deleteBranch("open")]);
    await eventually(async () => branches().flat().length === 0, PATIENT);
    assert.deepEqual(planetscale.passwords, []);
    assert.ok(!planetscale.deployRequests.some(({ state }) => state === "open"));
  });
});
