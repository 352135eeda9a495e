import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { writeJson } from "../../../components/local/json-file.ts";
import { rememberSecrets } from "../../../components/local/known-secrets.ts";
import { layout } from "../../../components/local/layout.ts";
import { readLogs } from "../../../components/local/read-logs.ts";

describe("logs that are followed", () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-logs-"));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it("show no secret of a release that came later", async () => {
    const preview = layout(dataDir).preview("shop-pr-1");
    const release = preview.release("web-00000000");
    await mkdir(preview.logs, { recursive: true });
    await mkdir(release.folder, { recursive: true });
    await writeFile(preview.log("web"), "first\n");
    await writeJson(release.launch, { order: 0, secrets: ["hunter2-before"] });
    const stop = new AbortController();
    const lines = readLogs(dataDir, "shop-pr-1", { tail: 10, follow: true, signal: stop.signal });
    assert.equal((await lines.next()).value?.text, "first");
    const next = lines.next();
    await writeJson(release.launch, { order: 0, secrets: ["hunter2-behind"] });
    await appendFile(preview.log("web"), "was hunter2-before, is hunter2-behind\n");
    assert.equal((await next).value?.text, "was [redacted], is [redacted]");
    stop.abort();
    await lines.return(undefined);
  });

  it("show no secret that only a command had, or a release that is gone", async () => {
    const preview = layout(dataDir).preview("shop-pr-1");
    await mkdir(preview.logs, { recursive: true });
    await writeFile(preview.log("migrate"), "with hunter2-before and hunter2-behind\n");
    for (const secrets of [["hunter2-before"], ["hunter2-behind", "hunter2-before"], [], ["hunter2-before"]]) {
      await rememberSecrets(dataDir, "shop-pr-1", secrets);
    }
    assert.equal((await readdir(preview.hidden)).length, 2);
    for (const name of await readdir(preview.hidden)) {
      assert.equal((await stat(join(preview.hidden, name))).mode & 0o077, 0);
    }
    const lines = readLogs(dataDir, "shop-pr-1", { tail: 10, follow: false, signal: new AbortController().signal });
    assert.equal((await lines.next()).value?.text, "with [redacted] and [redacted]");
  });
});
