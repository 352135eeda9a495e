/** `stackling open` against the app itself, with a desktop that writes down what it is to open. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { runCli } from "../../../service/cli/program.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

const URL_OF_PREVIEW = "http://pr-42-shop.localhost:4000";

describe("open", () => {
  let edge: AppEdge;
  let folder: string;
  before(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ urls: { web: URL_OF_PREVIEW } }));
  });
  after(() => edge.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-test-open-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A launcher as desktops have one, which ends so. */
  async function desktop(exitCode: number): Promise<void> {
    for (const name of ["xdg-open", "open"]) {
      const program = join(folder, name);
      await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder}/opened"\nexit ${exitCode}\n`);
      await chmod(program, 0o755);
    }
  }
  async function open(...args: readonly string[]) {
    let stdout = "";
    const code = await runCli(["open", ...args], {
      environment: {
        STACKLING_URL: `http://127.0.0.1:${edge.port}`,
        STACKLING_TOKEN: TOKEN,
        PATH: folder,
        TMPDIR: folder,
      },
      directory: folder,
      stdout: {
        write: (text: string) => {
          stdout += text;
        },
      },
      stderr: { write: () => {} },
      version: "1.2.3",
    });
    return { code, stdout: stdout.trim() };
  }
  const opened = async () => (await readFile(join(folder, "opened"), "utf8")).trim();

  it("hands the desktop a file that only its owner reads, and no login link", async () => {
    await desktop(0);
    const { code, stdout: link } = await open();
    assert.equal(code, 0);
    assert.match(link, /\/login\/[\w.-]+$/);
    const file = await opened();
    assert.doesNotMatch(file, /:\/\/|\n/, "a path, and nothing else");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.ok((await readFile(file, "utf8")).includes(`url=${link}"`));
  });

  it("leaves no file where there is no desktop, and prints the link", async () => {
    const { code, stdout } = await open();
    assert.equal(code, 0);
    assert.match(stdout, /\/login\/[\w.-]+$/);
    await desktop(3);
    await open();
    const left = (await readdir(folder)).filter((name) => name.startsWith("stackling-open-"));
    assert.deepEqual(left, []);
  });

  it("opens a preview by its address, which is no secret", async () => {
    await desktop(0);
    assert.equal((await open("shop#42")).code, 0);
    assert.equal(await opened(), URL_OF_PREVIEW);
  });
});
