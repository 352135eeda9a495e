import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type pg from "pg";
import { withClient } from "../../../components/local/database-client.ts";
import { adminUrlOf } from "../../../components/local/database-server.ts";
import { listBaselines, withBaselineCopy } from "../../../service/baselines/baselines.ts";
import { buildBaseline } from "../../../service/baselines/build.ts";
import { checkRows } from "../../../service/baselines/check.ts";
import { UnclassifiedError } from "../../../service/baselines/rules.ts";
import type { BaselineConfig, ColumnRules } from "../../../service/config/baselines.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

/** As `pg_dump` writes it: owners, grants, rows by COPY, keys and triggers at the end. */
const PEOPLE = ["Ada Lovelace", "Grace Hopper", "Konrad Zuse", "Edsger Dijkstra", "Barbara Liskov", "Ada Lovelace"];
const emailOf = (i: number) => `person.${i}@mail-of-${i}.acme.dev`;
const DUMP = `--
-- PostgreSQL database dump; it's made by hand
--
\\restrict x
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA audit;
ALTER SCHEMA audit OWNER TO somebody;
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';
CREATE DOMAIN public.address AS text CHECK (VALUE ~ '@');
CREATE TABLE public.users (
  id integer NOT NULL, email public.citext NOT NULL, name character varying(40), login character varying(12),
  password text, tags text[], city text, bio text, born date, parent integer,
  shout text GENERATED ALWAYS AS (upper(name::text)) STORED
);
ALTER TABLE public.users OWNER TO somebody;
CREATE FUNCTION public.keep_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.changes VALUES (TG_OP); RETURN NEW;
END;
$$;
CREATE TABLE audit.changes (what text);
CREATE TABLE public.orders (id integer NOT NULL, email public.citext, placed timestamp with time zone, note text, data jsonb);
CREATE MATERIALIZED VIEW public.mails AS SELECT email::text AS email FROM public.users WITH NO DATA;
COPY public.users (id, email, name, login, password, tags, city, bio, born, parent) FROM stdin;
${PEOPLE.map((name, i) => `${i}\t${emailOf(i)}\t${name}\tlogin${i}\tsecret-${i}\t{${emailOf(i)},x}\tLondon\t${"long ".repeat(500)}${emailOf(i)}\t1815-12-10\t${i === 0 ? "\\N" : i - 1}`).join("\n")}
\\.
COPY public.orders (id, email, placed, note, data) FROM stdin;
${PEOPLE.map((_, i) => `${i}\t${emailOf(i).toUpperCase()}\t2026-01-0${i + 1} 00:00:00+00\tcall it\t{"to": "${emailOf(i)}"}`).join("\n")}
\\.
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX users_email ON public.users USING btree (email);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_login UNIQUE (login);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_parent FOREIGN KEY (parent) REFERENCES public.users(id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_email FOREIGN KEY (email) REFERENCES public.users(email) ON UPDATE CASCADE;
CREATE TRIGGER keep_old BEFORE INSERT OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.keep_old();
REFRESH MATERIALIZED VIEW public.mails;
GRANT SELECT ON TABLE public.users TO somebody;
\\unrestrict x
`;

const RULES: ColumnRules = {
  users: {
    email: { fake: "email" },
    name: { fake: "name" },
    login: "format",
    password: "hash",
    tags: { fake: "email" },
    city: { truncate: 3 },
    bio: "null",
  },
  "audit.changes": { what: "keep" },
  orders: { email: { fake: "email" }, note: "keep", data: { sql: "data - 'to'" } },
};

describe("building a baseline", requires("postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;

  before(async () => {
    server = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-build-"));
    await writeFile(join(folder, "dump.sql"), DUMP);
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const build = async (more: Partial<BaselineConfig> = {}, now = "2026-01-01T00:00:00.000Z") => {
    const steps: string[] = [];
    const config: BaselineConfig = {
      name: "main",
      source: { kind: "dump", file: join(folder, "dump.sql") },
      columns: RULES,
      keepOld: 0,
      server: { env: "NONE" },
      ...more,
    };
    const key = Buffer.from("a key");
    const built = await buildBaseline({ config, adminUrl: server.url, key, now, onStep: (step) => steps.push(step) });
    return { ...built, steps };
  };
  let first: ReturnType<typeof build> | undefined;
  /** Built once for those that look at it. */
  const main = () => {
    first ??= build();
    return first;
  };
  const inside = <Row extends object>(sql: string, name = "main") =>
    withBaselineCopy(server.url, name, (url) =>
      withClient(url, async (client) => (await client.query<Row & pg.QueryResultRow>(sql)).rows),
    );
  const from = async (name: string, sql: string): Promise<Partial<BaselineConfig>> => {
    const file = join(folder, `${name}.sql`);
    await writeFile(file, sql);
    return { name, source: { kind: "dump", file } };
  };
  /** What lies in the files of a database, when all is written out. */
  const filesOf = async (name: string) => {
    const { oid, dir } = await withClient(server.url, async (client) => {
      await client.query("CHECKPOINT");
      const { rows } = await client.query<{ oid: string; dir: string }>(
        "SELECT oid::text, current_setting('data_directory') AS dir FROM pg_database WHERE datname = $1",
        [name],
      );
      return rows[0] ?? assert.fail(name);
    });
    const names = await readdir(join(dir, "base", oid));
    return Promise.all(names.map((file) => readFile(join(dir, "base", oid, file), "latin1")));
  };

  it("stops before it reads a row when a column is not classified, and names it", async () => {
    const { password: _, ...users } = RULES.users ?? {};
    const steps: string[] = [];
    const stopped = build({ columns: { ...RULES, users }, name: "stopped" }).then(({ steps: said }) =>
      steps.push(...said),
    );
    await assert.rejects(stopped, (error) => {
      assert.ok(error instanceof UnclassifiedError);
      assert.deepEqual(error.columns, [{ table: "users", column: "password", type: "text" }]);
      assert.match(error.userMessage, /users\.password \(text\)/);
      return true;
    });
    assert.deepEqual(
      (await listBaselines(server.url)).filter(({ name }) => name === "stopped"),
      [],
    );
  });

  it("leaves no address of the dump in the rows or in the files, and every join", async () => {
    const { baseline, findings } = await main();
    assert.equal(baseline.name, "main");
    assert.deepEqual(findings, []);
    const joined = await inside<{ id: number; email: string; of: number }>(
      "SELECT o.id, o.email, u.id AS of FROM orders o JOIN users u USING (email) ORDER BY o.id",
    );
    assert.deepEqual(
      joined.map(({ id, of }) => [id, of]),
      PEOPLE.map((_, i) => [i, i]),
    );
    assert.equal(new Set(joined.map(({ email }) => email)).size, PEOPLE.length);
    assert.ok(joined.every(({ email }) => email.endsWith("@example.com")));
    const [counts] = await inside(
      "SELECT (SELECT count(*)::int FROM audit.changes) AS changes, (SELECT count(*)::int FROM mails) AS mails",
    );
    assert.deepEqual(counts, { changes: 0, mails: PEOPLE.length });
    for (const text of await filesOf("baseline.main")) assert.ok(!/acme\.dev|Lovelace|Dijkstra|secret-\d/i.test(text));
  });

  it("follows each rule, and changes nothing else", async () => {
    await main();
    const rows = await inside<Record<string, unknown>>("SELECT * FROM users ORDER BY id");
    const [first, , , , , last] = rows;
    assert.equal(first?.name, last?.name);
    assert.notEqual(first?.name, rows[1]?.name);
    assert.equal(first?.shout, String(first?.name).toUpperCase());
    for (const row of rows) {
      assert.match(String(row.login), /^[a-z]{5}\d$/);
      assert.match(String(row.password), /^[0-9a-f]{32}$/);
      assert.equal(row.city, "Lon");
      assert.equal(row.bio, null);
      assert.ok(Array.isArray(row.tags) && row.tags[0] === row.email && row.tags.length === 2);
    }
    assert.deepEqual(
      rows.map(({ parent }) => parent),
      [null, 0, 1, 2, 3, 4],
    );
    const [order] = await inside("SELECT note, data FROM orders LIMIT 1");
    assert.deepEqual(order, { note: "call it", data: {} });
  });

  it("gives the same values again with the same key", async () => {
    const all = "SELECT id, email, name, login, password FROM users ORDER BY id";
    await main();
    const before = await inside(all);
    await build({}, "2026-01-02T00:00:00.000Z");
    assert.deepEqual(await inside(all), before);
  });

  it("puts keys, triggers and owners back as they were", async () => {
    await main();
    const keys = await inside(
      "SELECT conname, confupdtype, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1",
    );
    assert.deepEqual(keys, [
      { conname: "orders_email", confupdtype: "c", convalidated: true },
      { conname: "users_parent", confupdtype: "a", convalidated: true },
    ]);
    assert.deepEqual(await inside("SELECT tgenabled FROM pg_trigger WHERE tgname = 'keep_old'"), [{ tgenabled: "O" }]);
    const owners = await inside("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'audit')");
    assert.deepEqual(owners, [{ tableowner: "baseline.main" }]);
  });

  it("keeps as many earlier ones as it should, by their dates", async () => {
    const dates = { ...(await from("dated", "CREATE TABLE a (b int);")), columns: {}, keepOld: 1 };
    for (const day of [1, 2, 3]) await build(dates, `2026-02-0${day}T00:00:00.000Z`);
    const dated = (await listBaselines(server.url)).filter(({ name }) => name === "dated");
    assert.deepEqual(
      dated.map(({ builtAt, newest }) => [builtAt.slice(0, 10), newest]),
      [
        ["2026-02-03", true],
        ["2026-02-02", false],
      ],
    );
  });

  it("leaves the one before when a statement of the dump fails, and says where it stands without its values", async () => {
    const broken = await from("broken", "CREATE TABLE a (b int);\nINSERT INTO a\nVALUES ('ada@acme.dev');\n");
    await assert.rejects(build({ ...broken, columns: {} }), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /"INSERT INTO a" \(line 2\) failed: invalid input syntax/);
      assert.doesNotMatch(error.message, /acme/);
      return true;
    });
  });

  it("finds what was kept and is somebody's, and names that were taken out elsewhere", async () => {
    const kept = { ...RULES, orders: { ...RULES.orders, data: "keep" } } as const;
    const { findings, names } = await build({ name: "kept", columns: kept });
    assert.deepEqual(findings, [{ table: "orders", column: "data", kind: "email", rows: 6, sample: "p***@m***.dev" }]);
    const notes = await from(
      "notes",
      "CREATE TABLE a (n text, note text); INSERT INTO a VALUES ('Ada Lovelace', 'ADA LOVELACE called')",
    );
    const { findings: called } = await build({ ...notes, columns: { a: { n: { fake: "name" }, note: "keep" } } });
    assert.deepEqual(
      called.map(({ column, kind }) => [column, kind]),
      [["note", "name"]],
    );
    assert.ok(names.includes("Grace Hopper"));
  });

  it("is looked into for a list of names", async () => {
    await build(
      await from("listed", "CREATE TABLE a (n text); INSERT INTO a VALUES ('by Konrad Zuse')").then((one) => ({
        ...one,
        columns: { a: { n: "keep" } },
      })),
    );
    const report = await withBaselineCopy(server.url, "listed", (url) => checkRows({ url, names: ["konrad zuse"] }));
    assert.deepEqual(report, {
      columns: 1,
      rows: 1,
      findings: [{ table: "a", column: "n", kind: "name", rows: 1, sample: "k*** z***" }],
    });
    const left = await withClient(adminUrlOf(server.url, "postgres"), (client) =>
      client.query("SELECT datname FROM pg_database WHERE datname LIKE '%.check' OR datname LIKE '%.new'"),
    );
    assert.equal(left.rowCount, 0);
  });

  it("keeps unique columns unique where every value is taken, identities, partitions and what inherits", async () => {
    const codes = Array.from({ length: 90 }, (_, i) => `('${i + 10}', 'Part ${i}')`).join(", ");
    const hard = await from(
      "hard",
      `CREATE TABLE parts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code char(2) UNIQUE, name text);
       INSERT INTO parts (code, name) VALUES ${codes};
       CREATE TABLE special (extra text) INHERITS (parts);
       INSERT INTO special (id, code, name, extra) VALUES (500, 'xx', 'Part 1', 'Part 1');
       CREATE TABLE seen (by text, at int) PARTITION BY LIST (by);
       CREATE TABLE seen_x PARTITION OF seen FOR VALUES IN ('x');
       CREATE TABLE seen_rest PARTITION OF seen DEFAULT;
       INSERT INTO seen VALUES ('x', 1), ('Part 1', 2);`,
    );
    const words = { name: { fake: "word" } } as const;
    const columns: ColumnRules = {
      parts: { code: "format", ...words },
      special: { code: "keep", extra: { fake: "word" }, ...words },
      seen: { by: { fake: "word" } },
    };
    await build({ ...hard, columns });
    const [parts] = await inside<Record<string, unknown>>(
      `SELECT count(*)::int AS rows, count(DISTINCT code)::int AS codes, min(id) AS first, max(id) AS last,
         bool_and(code ~ '^[0-9]{2}$') AS kept FROM ONLY parts`,
      "hard",
    );
    assert.deepEqual(parts, { rows: 90, codes: 90, first: 1, last: 90, kept: true });
    const [same] = await inside<Record<string, unknown>>(
      `SELECT s.name = s.extra AND s.name = p.name AND p.name = seen.by AS same, s.code, seen.tableoid::regclass::text AS part
       FROM special s, ONLY parts p, seen WHERE p.id = 2 AND seen.at = 2`,
      "hard",
    );
    assert.deepEqual(same, { same: true, code: "xx", part: "seen_rest" });
  });

  it("leaves out an extension that cannot be had, and says so", async () => {
    const without = await from("without", "CREATE EXTENSION no_such_thing; CREATE TABLE a (b int);");
    const { steps } = await build({ ...without, columns: {} });
    assert.ok(steps.some((step) => step.startsWith("extension no_such_thing cannot be had here: ")));
  });

  it("removes large objects where it is to, also from the files", async () => {
    const objects = await from("objects", "SELECT lo_from_bytea(0, 'ada@acme.dev'); CREATE TABLE a (b int);");
    await assert.rejects(build({ ...objects, columns: {} }), /1 large objects: say "largeObjects: keep"/);
    await build({ ...objects, columns: {}, largeObjects: "remove" });
    for (const text of await filesOf("baseline.objects")) assert.ok(!/acme/.test(text));
  });

  it("leaves nothing in the files of a column that was dropped before", async () => {
    const dropped = await from(
      "dropped",
      "CREATE TABLE a (b int, c text); INSERT INTO a VALUES (1, 'ada@acme.dev'); ALTER TABLE a DROP COLUMN c;",
    );
    await build({ ...dropped, columns: {} });
    for (const text of await filesOf("baseline.dropped")) assert.ok(!/acme\.dev/.test(text));
  });

  it("cuts down before it masks", async () => {
    await build({ name: "less", subset: { table: "orders", where: "placed >= '2026-01-05'", whole: [] } });
    const [counts] = await inside(
      "SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM users) AS users",
      "less",
    );
    // Each user refers to the one before.
    assert.deepEqual(counts, { orders: 2, users: 6 });
    const files = await filesOf("baseline.less");
    for (const text of files) assert.ok(!/acme\.dev/i.test(text));
  });
});
