import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { layout } from "../../components/local/layout.ts";
import type { TargetConfig } from "../../service/config/types.ts";
import { createWorld } from "../../service/world.ts";

describe("the world", () => {
  let dataDir: string;
  let here: TargetConfig;
  let away: TargetConfig;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-world-"));
    const service = { driver: "local", options: { dataDir } };
    const secrets = { driver: "local", options: {} };
    here = { name: "here", runs: "source", service, dns: { driver: "gateway", options: { dataDir } }, secrets };
    const server = { file: join(dataDir, "nobody") };
    away = { ...here, name: "away", database: { driver: "clone", options: { server, connectionLimit: 2 } } };
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  it("asks the targets it is told and no other, which may be away", async () => {
    const world = createWorld({ config: { targets: [here, away] } });
    assert.deepEqual(await world.owned("shop-pr-1", [here]), []);
    await assert.rejects(world.owned("shop-pr-1"));
  });

  it("asks a target that is not configured any more", async () => {
    const world = createWorld({ config: { targets: [] } });
    assert.deepEqual(await world.owned("shop-pr-1", [here]), []);
    await assert.rejects(world.owned("shop-pr-1", [away]));
  });

  it("says when what a preview holds could not be told", async () => {
    await mkdir(layout(dataDir).preview("shop-pr-2").folder, { recursive: true });
    const { PATH } = process.env;
    process.env.PATH = "/nowhere";
    const asked = createWorld({ config: { targets: [] } }).usage(here, "shop-pr-2", { held: true });
    const { held, failed } = await asked.finally(() => Object.assign(process.env, { PATH }));
    assert.deepEqual(held, []);
    assert.match(String(failed?.cause), /counting the files in ".*shop-pr-2" by du\(1\)/);
  });

  it("names what is looked for there, each kind once", async () => {
    const kinds = await createWorld({ config: { targets: [] } }).kinds([here, away]);
    assert.deepEqual(
      ["process", "checkout", "route", "database", "role"].map((kind) => kinds.filter((one) => one === kind).length),
      [1, 1, 1, 1, 1],
    );
  });
});
