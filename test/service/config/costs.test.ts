import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseOperator } from "../../../service/config/operator.ts";

describe("what the config says of costs", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "stackling-costs-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const parse = (costs: string) =>
    parseOperator(`repositories: [{path: ./shop}]\n${costs}`, {
      file: "stackling.yaml",
      directory,
      dataDir: "/tmp",
    });

  async function faultsIn(costs: string): Promise<string> {
    const error = await parse(costs).then(
      () => assert.fail("it was taken"),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ConfigError);
    return error.message;
  }

  it("is nothing where nothing is said", async () => {
    assert.equal((await parse("")).costs, undefined);
  });

  it("is taken as it is meant, with the rest as it is by default", async () => {
    const { costs } = await parse(`
costs:
  currency: EUR
  exchange: {USD: 0.92}
  kubernetes: {cpuHour: 0.03, gibHour: 0.004}
  targets: {local: {cpuHour: 0}}
  assume: {databaseGib: 2}
  costExplorer: {credentials: {profile: billing}}
  opencost: {eu: {url: "http://opencost:9003", token: {file: opencost.token}}}
  neon: {organization: org-cool-darkness-12345678, plan: scale}
targets:
  local: {database: {driver: neon, project: p-1, apiKey: {env: NEON}, parent: main}}
`);
    assert.deepEqual(costs, {
      currency: "EUR",
      exchange: { USD: 0.92 },
      local: {},
      kubernetes: { cpuHour: 0.03, gibHour: 0.004 },
      targets: { local: { cpuHour: 0 } },
      assume: { logsMibPerHour: 5, databaseGib: 2, diskGib: 1, previewsPerLoadBalancer: 20 },
      neonPlan: "scale",
      costExplorer: { credentials: { profile: "billing" }, callsPerDay: 6 },
      opencost: {
        eu: { url: "http://opencost:9003", token: { file: join(directory, "opencost.token") }, currency: "USD" },
      },
      neon: { organization: "org-cool-darkness-12345678" },
    });
  });

  it("names every value that cannot be", async () => {
    const said = await faultsIn(`
costs:
  currency: euro
  exchange: {USD: 0}
  local: {cpuHour: -1}
  opencost: {eu: {url: "http://me:secret@opencost:9003"}}
`);
    for (const word of ['"costs.currency"', "ISO 4217", "more than 0", "at least 0", "must hold no user"]) {
      assert.match(said, new RegExp(word), said);
    }
    assert.match(await faultsIn("costs: {targets: {lokal: {cpuHour: 1}}}"), /no target "lokal"; known: "local"/);
    assert.match(await faultsIn("costs: {neon: {organization: org-a}}"), /no target has the database driver "neon"/);
  });

  it("takes a price file of the operator's own, and says what is wrong with one", async () => {
    await writeFile(join(directory, "broken.json"), "{");
    await writeFile(join(directory, "wrong.json"), JSON.stringify({ vendor: "AWS", currency: "USD", prices: [] }));
    const mine = {
      ...{ vendor: "AWS", currency: "USD", date: "2026-11-01" },
      prices: [
        { name: "secret", unit: "unit-months", source: { page: "our contract", date: "2026-11-01" }, price: 0.2 },
      ],
    };
    await writeFile(join(directory, "mine.json"), JSON.stringify(mine));
    assert.deepEqual((await parse("costs: {prices: mine.json}")).costs?.prices, mine);
    assert.match(await faultsIn("costs: {prices: absent.json}"), /absent.json" cannot be read \(ENOENT\)/);
    assert.match(await faultsIn("costs: {prices: broken.json}"), /broken.json" is not JSON/);
    assert.match(await faultsIn("costs: {prices: wrong.json}"), /"wrong.json", date/);
    await writeFile(join(directory, "vendor.json"), JSON.stringify({ ...mine, vendor: "aws" }));
    assert.match(
      await faultsIn("costs: {prices: vendor.json}"),
      /of "aws", whose prices nobody asks for; known: "AWS"/,
    );
    const unit = { ...mine, prices: [{ ...mine.prices[0], unit: "hours" }] };
    await writeFile(join(directory, "unit.json"), JSON.stringify(unit));
    assert.match(await faultsIn("costs: {prices: unit.json}"), /"secret" in hours, which is counted in unit-months/);
  });
});
