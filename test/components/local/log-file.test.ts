import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { layout } from "../../../components/local/layout.ts";
import { ageLog, excerptOf, rotateLog, sizeOf, tailOfLog } from "../../../components/local/log-file.ts";
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

describe("what is shown of a command that failed", () => {
  let folder: string;
  let log: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-log-"));
    log = join(folder, "install.log");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("are its last lines that are not empty", async () => {
    await writeFile(log, `before\n${Array.from({ length: 30 }, (_, index) => `line ${index}\n\n`).join("")}`);
    const lines = await excerptOf(log, "before\n".length, ["line 29"]);
    assert.equal(lines.length, 20);
    assert.equal(lines.at(-1), "[redacted]");
  });

  it("is what npm says is wrong, not how npm is called", async () => {
    const usage = Array.from({ length: 80 }, (_, index) => `npm error   --option-${index}\nnpm error     It does.`);
    const said = [
      "npm error code EUSAGE",
      "npm error",
      "npm error Missing: left-pad@1.3.0 from lock file",
      "npm error",
    ];
    const how = ["npm error Clean install a project", "npm error", "npm error Usage:", "npm error npm ci", ...usage];
    const end = ['npm error Run "npm help ci" for more info', "npm error A complete log of this run is there"];
    await writeFile(log, `${[...said, ...how, ...end, "Usage:", "of another"].join("\n")}\n`);
    assert.deepEqual(await excerptOf(log, 0, []), [said[0], said[2], how[0], ...end, "Usage:", "of another"]);
  });
});

describe("a log that is written for weeks", () => {
  const DAY_MS = 86_400_000;
  let folder: string;
  let log: string;
  /** Of the day that the next line is written on. */
  let now: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-log-"));
    log = join(folder, "web.log");
    now = Date.now();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A line, and the trimming of the evening. */
  const day = async (text: string) => {
    await appendFile(log, `${text}\n`);
    now += DAY_MS;
    await ageLog(log, { keepMs: 7 * DAY_MS, now });
  };

  it("is kept for as many days as are wished, and no line much longer", async () => {
    for (let number = 1; number <= 20; number++) await day(`line ${number}`);
    const kept = (await tailOfLog(log, 1_000_000)).trim().split("\n");
    assert.equal(kept.at(-1), "line 20");
    assert.equal(kept[0], "line 13");
    assert.ok((await readdir(folder)).length <= 9);
  });

  it("is begun anew once a day, however often it is looked at", async () => {
    await appendFile(log, "one\n");
    for (let look = 0; look < 5; look++) await ageLog(log, { keepMs: 7 * DAY_MS, now });
    assert.deepEqual(await readdir(folder), ["web.log"]);
  });

  it("keeps no more of a talkative one than a disk bears, the newest of it", async () => {
    for (let number = 1; number <= 6; number++) {
      await writeFile(log, `${number}`.repeat(6 * 1024 * 1024));
      await rotateLog(log);
    }
    const files = await readdir(folder);
    const sizes = await Promise.all(files.map((name) => sizeOf(join(folder, name))));
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 15 * 1024 * 1024);
    assert.equal(await tailOfLog(log, 10), "6".repeat(10));
  });

  it("is read on into what was set aside where the newest lines do not suffice", async () => {
    await writeFile(log, "older\n");
    now += 2 * DAY_MS;
    await ageLog(log, { keepMs: 7 * DAY_MS, now });
    await appendFile(log, "newer\n");
    assert.equal(await tailOfLog(log, 1_000), "older\nnewer\n");
    assert.equal(await tailOfLog(log, 8), "r\nnewer\n");
  });
});
