import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { layout, prepareDataDir } from "../../components/local/layout.ts";
import { startTrim } from "../../service/trim.ts";
import { aPreview } from "../support/previews.ts";

const THEN = new Date(Date.now() - 40 * 86_400_000);

describe("trimming at the start of the service", () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-trim-"));
    await prepareDataDir(dataDir);
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const old = async (path: string) => {
    await mkdir(path, { recursive: true });
    await utimes(path, THEN, THEN);
    return path;
  };
  const logged: string[] = [];
  const logger = {
    info: (_: unknown, text = "") => logged.push(text),
    warn: (_: unknown, text = "") => logged.push(text),
  };

  it("keeps the mirror of a living preview, and has removed the other's once it is closed", async () => {
    const { mirror } = layout(dataDir);
    const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost" } });
    const source = preview.status.live?.source.repository ?? "";
    const [lives, unused] = [await old(mirror(source)), await old(mirror("/srv/unused"))];
    const store = { list: async () => [preview, aPreview({ number: 43 })], trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logger }).close();
    assert.deepEqual([existsSync(lives), existsSync(unused)], [true, false]);
  });

  it("removes nothing while the store does not say what lives, and goes on", async () => {
    const unused = await old(layout(dataDir).mirror("/srv/unused"));
    const store = { list: () => Promise.reject(new Error("the store is away")), trimAudit: async () => 0 };
    await startTrim({ dataDir, store, auditDays: 365, logger }).close();
    assert.ok(existsSync(unused));
    assert.match(logged.at(-1) ?? "", /failed; it is tried again/);
  });
});
