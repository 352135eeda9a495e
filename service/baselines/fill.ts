/** What a baseline can be built from. */
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { StacklingError } from "../../components/errors.ts";
import { withClient } from "../../components/local/database-client.ts";

const EXCERPT_LINES = 20;

/** Runs an SQL file as it is; `psql`'s own commands (`\copy`, `\connect`) are not SQL. */
export function fillFromSql(file: string): (url: string) => Promise<void> {
  return async (url) => {
    const sql = await readFile(file, "utf8");
    try {
      await withClient(url, (client) => client.query(sql));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new StacklingError({ reason: "SeedFailed", userMessage: `running "${file}" failed: ${why}`, cause });
    }
  };
}

/** Runs a shell command in `directory` with `DATABASE_URL` set and an environment built from nothing. */
export function fillFromCommand(command: string, directory: string): (url: string) => Promise<void> {
  return async (url) => {
    const { PATH, HOME } = process.env;
    const result = await execa(command, {
      shell: "/bin/sh",
      cwd: directory,
      extendEnv: false,
      env: { PATH, HOME, LANG: "C.UTF-8", DATABASE_URL: url },
      all: true,
      reject: false,
    });
    if (!result.failed) return;
    const excerpt = result.all.replaceAll(url, "[url]").split("\n").filter(Boolean).slice(-EXCERPT_LINES);
    const why = result.exitCode === undefined ? "could not be run" : `ended with exit code ${result.exitCode}`;
    throw new StacklingError({ reason: "SeedFailed", userMessage: `the command "${command}" ${why}`, excerpt });
  };
}
