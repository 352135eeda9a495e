import assert from "node:assert/strict";
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { snapshotDatabase } from "../../../components/database/snapshot.ts";
import { TerminalError } from "../../../components/errors.ts";
import { type DatabaseInputs, databaseResource } from "../../../components/local/database.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { find, findOwned } from "../../../components/local/database-server.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

const DUMP = `
SET statement_timeout = 0;
CREATE TABLE public.orders (id integer PRIMARY KEY, note text);
COPY public.orders (id, note) FROM stdin;
1\tone
2\t\\N
\\.
CREATE VIEW public.noted AS SELECT id FROM public.orders WHERE note IS NOT NULL;
`;

describe("a preview's database of a dump", requires("postgres", "psql"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;

  before(async () => {
    server = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-snapshot-"));
    await writeFile(join(folder, "shop.sql"), DUMP);
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const contextOf = (stack: string) => ({
    settings: { dataDir: folder, adminUrl: server.url },
    stack,
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
  });
  const make = (stack: string, file = "shop.sql", change: Partial<DatabaseInputs> = {}) => {
    const snapshot = { dump: join(folder, file) };
    const name = stack.replaceAll("-", "_");
    const inputs = { name, generation: 0, connectionLimit: 1, tags: {}, snapshot, ...change };
    return databaseResource.create(contextOf(stack), inputs, "database");
  };
  const drop = (stack: string, { state }: Awaited<ReturnType<typeof make>>) =>
    databaseResource.delete(contextOf(stack), state.name, state);
  const sql = (url: string, text: string) => withClient(url, async (client) => (await client.query(text)).rows);
  const refused = async (stack: string, file: string, message: RegExp) => {
    await assert.rejects(make(stack, file), (error) => {
      assert.ok(error instanceof TerminalError, String(error));
      assert.match(error.userMessage, message);
      return true;
    });
    assert.deepEqual(await withClient(server.url, (client) => findOwned(client, stack)), []);
  };
  /** With these as the only programs on PATH. */
  const withPrograms = async (programs: Readonly<Record<string, string>>, work: () => Promise<void>) => {
    const path = process.env.PATH;
    const bin = await mkdtemp(join(folder, "bin-"));
    for (const [name, text] of Object.entries(programs)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
      await chmod(join(bin, name), 0o755);
    }
    process.env.PATH = bin;
    try {
      await work();
    } finally {
      process.env.PATH = path;
    }
  };

  it("has its rows and belongs to its role, and another's writes are not in it", async () => {
    const [one, two] = [await make("shop-pr-1"), await make("shop-pr-2")];
    await sql(one.state.url, "DELETE FROM orders; DROP VIEW noted; ALTER TABLE orders ADD price int");
    assert.deepEqual(await sql(two.state.url, "SELECT * FROM orders ORDER BY 1"), [
      { id: 1, note: "one" },
      { id: 2, note: null },
    ]);
    await drop("shop-pr-1", one);
    await drop("shop-pr-2", two);
  });

  it("has the rows of an archive too, whoever owned them and whatever others were granted", async () => {
    // By pg_dump 15 of a table of the role "boss" with a grant to everybody.
    await copyFile(new URL("../../fixtures/shop.dump", import.meta.url), join(folder, "archive"));
    const made = await make("shop-pr-7", "archive");
    const owners = "SELECT tableowner AS owner, note FROM pg_tables, orders WHERE tablename = 'orders' ORDER BY id";
    assert.deepEqual(await sql(made.state.url, owners), [
      { owner: "shop_pr_7", note: "one" },
      { owner: "shop_pr_7", note: null },
    ]);
    assert.equal((await sql(made.state.url, "SELECT FROM noted")).length, 1);
    await drop("shop-pr-7", made);
  });

  it("is restored whole when a killed create left half of it, and not again when it is whole", async () => {
    const first = await make("shop-pr-3");
    await sql(first.state.url, "DROP VIEW noted");
    const again = await make("shop-pr-3");
    assert.equal(again.state.identity, first.state.identity);
    await assert.rejects(sql(again.state.url, "SELECT FROM noted"), /does not exist/);
    await withClient(server.url, async (client) => {
      const { role } = await find(client, "shop_pr_3");
      const comment = JSON.stringify({ ...role?.marker, complete: false });
      await client.query(`COMMENT ON ROLE shop_pr_3 IS ${pg.escapeLiteral(`stackling:${comment}`)}`);
    });
    const whole = await make("shop-pr-3");
    assert.notEqual(whole.state.identity, first.state.identity);
    assert.equal((await sql(whole.state.url, "SELECT FROM noted")).length, 1);
    await drop("shop-pr-3", whole);
  });

  it("leaves nothing and says what went wrong where the dump cannot be restored", async () => {
    await writeFile(join(folder, "owned.sql"), `${DUMP}ALTER TABLE public.orders OWNER TO boss;\n`);
    await refused("shop-pr-4", "owned.sql", /"psql" ended with exit code 3: .*role "boss" does not exist/);
    await refused("shop-pr-4", "nothing.sql", /nothing\.sql": there is no such file/);
  });

  it("asks for the program of an archive, and for none that is newer than the server", async () => {
    await writeFile(join(folder, "shop.dump"), "PGDMP and nothing more");
    await withPrograms({}, () =>
      refused("shop-pr-5", "shop.dump", /needs "pg_restore", which is not on PATH: install/),
    );
    const newer = { psql: 'echo "psql (PostgreSQL) 99.1"' };
    await withPrograms(newer, () =>
      refused("shop-pr-5", "shop.sql", /"psql" on PATH is of version 99, and the server is/),
    );
  });

  it("is found unreadable by doctor before any preview needs it", async () => {
    const file = join(folder, "admin.url");
    await writeFile(file, server.url);
    await writeFile(join(folder, "later.dump"), "PGDMP of a later pg_dump");
    const options = { server: { file }, connectionLimit: 1, dump: join(folder, "later.dump") };
    const list =
      'if [ "$1" = --version ]; then echo "pg_restore (PostgreSQL) 16.1"; else echo "unsupported version (1.99)" >&2; exit 1; fi';
    await withPrograms({ pg_restore: list }, async () => {
      const found = (await snapshotDatabase.operations.check?.(options)) ?? [];
      assert.match(
        found.at(-1)?.what ?? "",
        /later\.dump": the "pg_restore" on PATH cannot read it: unsupported version/,
      );
    });
  });

  it("gives its program the password by its environment alone", async () => {
    const seen = join(folder, "seen");
    const spy = `[ "$1" = --version ] && { echo "psql (PostgreSQL) 15.1"; exit; }
      echo "$* $PGPASSWORD" > ${seen}`;
    await withPrograms({ psql: spy }, async () => {
      const made = await make("shop-pr-6");
      const { password } = new URL(made.state.url);
      const words = (await readFile(seen, "utf8")).trim().split(" ");
      assert.equal(words.pop(), password);
      assert.ok(words.length > 3 && !words.some((word) => word.includes(password)));
      await drop("shop-pr-6", made);
    });
  });
});
