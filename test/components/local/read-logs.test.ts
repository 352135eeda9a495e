import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { writeJson } from "../../../components/local/json-file.ts";
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
});
