import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConflictError, StacklingError, TerminalError } from "../../../components/errors.ts";
import { withClient } from "../../../components/local/database-client.ts";
import { createBaseline, dropBaseline, listBaselines } from "../../../service/baselines/baselines.ts";
import { fillFromCommand, fillFromDump } from "../../../service/baselines/fill.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

describe("baselines", requires("postgres"), () => {
  let server: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;

  before(async () => {
    server = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-baselines-"));
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const build = (name: string, fill: (url: string) => Promise<void>, now = "2026-01-01T00:00:00Z") =>
    createBaseline({ adminUrl: server.url, name, fill, now });
  const databases = () =>
    withClient(server.url, async (client) => {
      const { rows } = await client.query<{ datname: string }>(
        "SELECT datname FROM pg_database WHERE starts_with(datname, 'baseline.') ORDER BY 1",
      );
      return rows.map(({ datname }) => datname);
    });

  it("are listed with date and size once built from an SQL file", async () => {
    const file = join(folder, "seed.sql");
    await writeFile(file, "CREATE TABLE a (n int); INSERT INTO a VALUES (1);");
    await build("main", fillFromDump(file));
    const [found, ...others] = await listBaselines(server.url);
    assert.deepEqual(others, []);
    assert.equal(found?.name, "main");
    assert.equal(found?.builtAt, "2026-01-01T00:00:00Z");
    assert.ok((found?.bytes ?? 0) > 1_000_000);
  });

  it("stay as they were, with no draft left, when building them anew fails", async () => {
    await build("steady", async () => undefined);
    const failing = build("steady", () => Promise.reject(new Error("no")), "2026-02-01T00:00:00Z");
    await assert.rejects(failing, StacklingError);
    const found = (await listBaselines(server.url)).find(({ name }) => name === "steady");
    assert.equal(found?.builtAt, "2026-01-01T00:00:00Z");
    assert.ok(!(await databases()).some((name) => name.endsWith(".new") || name.endsWith(".old")));
  });

  it("give a command their URL and nothing of our environment", async () => {
    const command = `${process.execPath} -e 'require("fs").writeFileSync("env.json", JSON.stringify(process.env))'`;
    process.env.STACKLING_TEST_SECRET = "leak";
    try {
      await build("command", fillFromCommand(command, folder));
    } finally {
      delete process.env.STACKLING_TEST_SECRET;
    }
    const { default: env } = await import(join(folder, "env.json"), { with: { type: "json" } });
    assert.match(env.DATABASE_URL, /^postgres:\/\/baseline\.command:/);
    assert.equal(env.STACKLING_TEST_SECRET, undefined);
  });

  it("say which command failed, with its last lines and without the URL", async () => {
    const failing = build("failing", fillFromCommand('echo "at $DATABASE_URL"; exit 3', folder));
    await assert.rejects(failing, (error) => {
      assert.ok(error instanceof StacklingError);
      assert.match(error.userMessage, /exit code 3/);
      assert.deepEqual(error.excerpt, ["at [url]"]);
      return true;
    });
    const role = "SELECT FROM pg_roles WHERE rolname = 'baseline.failing'";
    assert.equal((await withClient(server.url, (client) => client.query(role))).rowCount, 0);
  });

  it("cannot be logged in to by the role that filled them", async () => {
    let used = "";
    await build("sealed", async (url) => {
      used = url;
      await withClient(url, (client) => client.query("CREATE TABLE a (n int)"));
    });
    await assert.rejects(withClient(used, (client) => client.query("SELECT 1")));
  });

  it("are not built by two at once", async () => {
    await build("busy", async () => {
      await assert.rejects(
        build("busy", async () => undefined),
        ConflictError,
      );
    });
  });

  it("refuse names that are not plain", async () => {
    await assert.rejects(
      build('x"; DROP DATABASE postgres; --', async () => undefined),
      TerminalError,
    );
  });

  it("are gone once dropped, and dropping them again succeeds", async () => {
    await build("gone", async () => undefined);
    await dropBaseline(server.url, "gone");
    await dropBaseline(server.url, "gone");
    assert.ok(!(await databases()).includes("baseline.gone"));
  });
});
