import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const REST = "repositories: [{path: shop}]\n";
const parse = async (text: string) =>
  (await parseOperator(`${text}\n${REST}`, { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data" }))
    .baselines;
const faultOf = async (text: string): Promise<string> => {
  const error = await parse(text).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ConfigError);
  return error.message;
};

describe("baselines of stackling.yaml", () => {
  it("are none where none are named", async () => {
    assert.equal(await parse("port: 4000"), undefined);
  });

  it("have paths beside the file, and lie on the server of the only target that has one", async () => {
    const [main, made] =
      (await parse(
        [
          "baselines:",
          "  main:",
          "    url: {file: staging.url}",
          "    key: {env: MASK_KEY}",
          "    columns: {users: {email: {fake: email}, note: null, name: 'null', id: {sql: 'id + 1'}}}",
          "    subset: {table: orders, where: 'id > 5'}",
          "    every: 24h",
          "    keepOld: 2",
          "  made: {seed: {command: npm run seed, directory: ../shop}, columns: keep, refresh: deploy}",
        ].join("\n"),
      )) ?? [];
    assert.deepEqual(main, {
      name: "main",
      source: { kind: "url", url: { file: "/etc/stackling/staging.url" } },
      key: { env: "MASK_KEY" },
      columns: { users: { email: { fake: "email" }, note: "null", name: "null", id: { sql: "id + 1" } } },
      subset: { table: "orders", where: "id > 5", whole: [] },
      everySeconds: 86_400,
      keepOld: 2,
      server: { file: "/data/postgres/previews.url" },
    });
    assert.deepEqual(made?.source, { kind: "seed", command: "npm run seed", directory: "/etc/shop" });
    assert.deepEqual([made?.columns, made?.keepOld, made?.refresh], ["keep", 0, "deploy"]);
  });

  it("need exactly one source, and may keep everything of a seed alone", async () => {
    assert.match(
      await faultOf("baselines: {main: {columns: {}}}"),
      /"baselines\.main" needs exactly one of dump, url, seed/,
    );
    assert.match(await faultOf("baselines: {main: {dump: a.sql, seed: {command: x}}}"), /exactly one/);
    assert.match(
      await faultOf("baselines: {main: {dump: a.sql, columns: keep}}"),
      /"baselines\.main\.columns" may keep everything only of a seed/,
    );
  });

  it("refuse rules that there are not, naming the near one", async () => {
    const rule = (text: string) => faultOf(`baselines: {main: {dump: a.sql, columns: {users: {email: ${text}}}}}`);
    assert.match(await rule("{fake: emial}"), /is "emial"; must be one of .*did you mean "email"\?/);
    assert.match(await rule("CHOOSE"), /"baselines\.main\.columns\.users\.email" /);
    assert.match(await rule("{truncate: -1}"), /at least 0/);
  });

  it("must say where they lie when there are several servers or none", async () => {
    const two =
      "targets: {a: {database: {driver: clone, server: {env: A}}}, b: {database: {driver: clone, server: {env: B}}}}\n";
    const place = `${two}baselines: {main: {dump: a.sql`;
    assert.match(await faultOf(`${place}}}`), /needs a "target", one of a, b/);
    assert.match(await faultOf(`${place}, target: c}}`), /names no target with a database server/);
    assert.match(
      await faultOf("targets: {a: {database: false}}\nbaselines: {main: {dump: a.sql}}"),
      /has no server to lie on/,
    );
  });
});
