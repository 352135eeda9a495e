import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { layout } from "../../../components/local/layout.ts";
import { rotateLog } from "../../../components/local/log-file.ts";
import { readLogs } from "../../../components/local/read-logs.ts";

const TERABYTE = 2 ** 40;

describe("a log that its application made larger than any disk", () => {
  let dataDir: string;
  let log: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-log-"));
    const preview = layout(dataDir).preview("shop-pr-1");
    await mkdir(preview.logs, { recursive: true });
    log = preview.log("web");
    await writeFile(log, "first\n");
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it("is cut, and only its end is kept", async () => {
    await truncate(log, TERABYTE);
    await appendFile(log, "\nlast\n");
    await rotateLog(log);
    assert.equal((await stat(log)).size, 0);
    assert.ok((await stat(`${log}.1`)).size <= 8 * 1024 * 1024);
  });

  it("is followed on from its end", async () => {
    const stop = new AbortController();
    const lines = readLogs(dataDir, "shop-pr-1", { tail: 10, follow: true, signal: stop.signal });
    assert.equal((await lines.next()).value?.text, "first");
    const next = lines.next();
    await truncate(log, TERABYTE);
    await appendFile(log, "\nlast\n");
    let found = (await next).value?.text;
    while (found !== undefined && found !== "last") found = (await lines.next()).value?.text;
    assert.equal(found, "last");
    stop.abort();
    await lines.return(undefined);
  });
});
