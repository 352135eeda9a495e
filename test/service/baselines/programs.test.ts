import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { TerminalError } from "../../../components/errors.ts";
import { scriptOfArchive, scriptOfDatabase } from "../../../service/baselines/programs.ts";
import { checkSource } from "../../../service/baselines/source-check.ts";
import type { BaselineConfig } from "../../../service/config/baselines.ts";
import { startTestPostgres } from "../../support/postgres.ts";
import { requires } from "../../support/requires.ts";

describe("PostgreSQL's client programs", requires("postgres"), () => {
  let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  let folder: string;

  before(async () => {
    postgres = await startTestPostgres();
    folder = await mkdtemp(join(tmpdir(), "stackling-programs-"));
  });
  after(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true });
  });

  /** A stand-in, since a machine has one version of it or none: it prints what it was called with. */
  async function install(name: string, version: string, rest = 'echo "$0 $*"; env'): Promise<NodeJS.ProcessEnv> {
    const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo "${name} (PostgreSQL) ${version}"; exit; fi\n${rest}\n`;
    await writeFile(join(folder, name), script, { mode: 0o755 });
    return { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, SECRET: "leak" };
  }
  async function read(script: AsyncIterable<Uint8Array>): Promise<string> {
    let text = "";
    for await (const chunk of script) text += Buffer.from(chunk).toString();
    return text;
  }

  it("are named when they are not there", async () => {
    const nowhere = { PATH: join(folder, "nowhere") };
    await assert.rejects(read(scriptOfArchive("a.dump", { environment: nowhere })), (error) => {
      assert.ok(error instanceof TerminalError);
      assert.match(error.userMessage, /reading the archive "a\.dump" needs "pg_restore", which is not on PATH/);
      return true;
    });
  });

  it("are refused when the server is newer, with both versions", async () => {
    const environment = await install("pg_dump", "12.3");
    const error = await read(scriptOfDatabase(postgres.url, { environment })).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TerminalError);
    assert.equal(error.reason, "ClientTooOld");
    assert.match(error.userMessage, /its server is PostgreSQL \d+, and the "pg_dump" on PATH is of version 12/);
  });

  it("get the password by the environment, and nothing else of ours", async () => {
    const environment = await install("pg_dump", "99.1");
    const text = await read(scriptOfDatabase(postgres.url, { environment }));
    const { password } = new URL(postgres.url);
    const [called = "", ...variables] = text.split("\n");
    assert.ok(password.length > 0 && !called.includes(password));
    assert.ok(variables.includes(`PGPASSWORD=${decodeURIComponent(password)}`));
    assert.doesNotMatch(text, /leak/);
    assert.match(called, /--no-owner --no-privileges/);
  });

  it("end the script with what they say when they fail", async () => {
    const environment = await install(
      "pg_restore",
      "18.0",
      'echo "SELECT 1;"; echo "unsupported version (1.99) in file header" >&2; exit 1',
    );
    await assert.rejects(
      read(scriptOfArchive("a.dump", { environment })),
      /"pg_restore" ended with exit code 1: unsupported version \(1\.99\)/,
    );
  });

  it("are what doctor looks for, where a baseline's source needs one", async () => {
    const url = { env: "STACKLING_TEST_SOURCE" };
    process.env.STACKLING_TEST_SOURCE = postgres.url;
    const archive = { kind: "dump", file: join(folder, "whole.dump") } as const;
    await writeFile(archive.file, "PGDMP and more");
    const plain = { kind: "dump", file: join(folder, "plain.sql") } as const;
    await writeFile(plain.file, "SELECT 1;");
    const look = async (source: BaselineConfig["source"], environment: NodeJS.ProcessEnv) =>
      (await checkSource({ name: "main", source }, environment))[0];

    const nowhere = { PATH: join(folder, "nowhere") };
    assert.equal(await look(plain, nowhere), undefined);
    assert.equal(await look({ kind: "seed", command: "seed", directory: folder }, nowhere), undefined);
    assert.match(
      (await look(archive, nowhere))?.what ?? "",
      /"main" cannot be read: .* needs "pg_restore", which is not/,
    );
    const newer = await install("pg_dump", "99.1");
    assert.deepEqual(await look({ kind: "url", url }, newer), {
      ok: true,
      what: 'the source of baseline "main" is read by pg_dump 99',
    });
    const older = await install("pg_dump", "9.6.1");
    assert.match((await look({ kind: "url", url }, older))?.what ?? "", /"pg_dump" on PATH is of version 9: install/);
    const strange = await install("pg_restore", "18.1", "echo 'unsupported version (1.99) in file header' >&2; exit 1");
    assert.match((await look(archive, strange))?.what ?? "", /\(version 18\) cannot read it: unsupported version/);
    const fitting = await install("pg_restore", "18.1");
    assert.equal((await look(archive, fitting))?.ok, true);
  });
});
