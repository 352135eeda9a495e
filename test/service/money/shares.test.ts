/** Ten previews with a known load on this machine: what each is charged, against what its own process says it took. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { folderResource } from "../../../components/local/folder.ts";
import { layout } from "../../../components/local/layout.ts";
import type { ResourceContext } from "../../../components/local/resource.ts";
import { serviceResource } from "../../../components/local/service.ts";
import { setAwake } from "../../../components/local/supervisor.ts";
import { lookAtUsage } from "../../../components/local/usage.ts";
import { createCosts } from "../../../service/money/costs.ts";
import { pricesFor } from "../../../service/money/load-prices.ts";
import { startMeter } from "../../../service/money/meter.ts";
import { openStore, type PostgresStore } from "../../../service/store/postgres.ts";
import { createWorld } from "../../../service/world.ts";
import { serviceInputs } from "../../components/local/local-world.ts";
import { testDatabase } from "../../support/postgres.ts";
import { aPreview } from "../../support/previews.ts";
import { silent } from "../../support/reconcile-world.ts";

/** Burns CPU when asked, and tells what the kernel says it took since its own start. */
const BURNER = `import { createServer } from "node:http";
const took = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
createServer((request, response) => {
  const seconds = Number(new URL(request.url, "http://x").searchParams.get("seconds") ?? 0);
  for (const end = took() + seconds; took() < end; ) Math.sqrt(2);
  response.end(String(took()));
}).listen(process.env.PORT);`;

const PREVIEWS = 10;
const DAYS = { from: "2026-11-22", to: "2026-11-23" };
const numbers = Array.from({ length: PREVIEWS }, (_, index) => index + 1);

describe("ten previews with a known load", () => {
  const clock = { ms: Date.parse("2026-11-22T10:00:00.000Z") };
  const now = () => new Date(clock.ms).toISOString();
  const addresses = new Map<number, string>();
  let dataDir: string;
  let database: Awaited<ReturnType<typeof testDatabase>>;
  let store: PostgresStore;

  const contextOf = (number: number): ResourceContext => ({
    settings: { dataDir },
    stack: `shop-pr-${number}`,
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
  });
  before(async () => {
    database = await testDatabase();
    store = await openStore({ url: database.url, holder: "one", logger: silent, now });
    dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-shares-")));
    await Promise.all(numbers.map(start));
  });
  after(async () => {
    if (dataDir) {
      await Promise.all(numbers.map((number) => folderResource.delete(contextOf(number), "", { path: "" })));
      await rm(dataDir, { recursive: true, force: true });
    }
    await store?.close();
    await database?.drop();
  });

  async function start(number: number): Promise<void> {
    const context = contextOf(number);
    await folderResource.create(context, {}, "folder");
    const checkout = join(layout(dataDir).preview(context.stack).folder, "tree");
    await mkdir(checkout, { recursive: true });
    await writeFile(join(checkout, "server.mjs"), BURNER);
    const { state } = await serviceResource.create(context, serviceInputs(checkout), "web");
    addresses.set(number, state.address);
    const preview = aPreview({ number, urls: { web: `http://pr-${number}-shop.localhost` } });
    const { live } = preview.status;
    if (!live) throw new Error("the preview is not live");
    const here = (driver: string) => ({ driver, options: { dataDir } });
    const target = { ...live.target, service: here("local"), dns: here("gateway") };
    await store.create({ ...preview, status: { ...preview.status, live: { ...live, target } } });
  }

  const burn = async (number: number, seconds: number) =>
    Number(await (await fetch(`http://${addresses.get(number)}/?seconds=${seconds}`)).text());
  const prices = pricesFor({});
  const look = async () => {
    await lookAtUsage(dataDir);
    const meter = startMeter({
      store,
      world: createWorld({ config: { targets: [] } }),
      prices,
      now,
      logger: { warn: (fields: object, words: string) => assert.fail(`${words}: ${inspect(fields)}`) },
    });
    await meter.look();
    await meter.close();
  };
  /** By number of the pull request. */
  const costsOf = async (...wanted: readonly string[]) => {
    const { sums } = await createCosts({ store, prices, account: "localhost", now }).sums({
      by: "pull-request",
      ...DAYS,
    });
    const costOf = ({ meters }: (typeof sums)[number]) =>
      meters.reduce((sum, { meter, cost }) => (wanted.includes(meter) ? sum + cost : sum), 0);
    return new Map(sums.map((sum) => [sum.about?.number ?? 0, costOf(sum)]));
  };
  const sharesOf = (amounts: ReadonlyMap<number, number>) => {
    const whole = [...amounts.values()].reduce((sum, amount) => sum + amount, 0);
    return new Map([...amounts].map(([number, amount]) => [number, amount / whole]));
  };

  it("are charged CPU in the shares that their processes tell of, within 10 %", async () => {
    await Promise.all(numbers.map((number) => burn(number, (number + 1) / 10)));
    const told = sharesOf(new Map(await Promise.all(numbers.map(async (one) => [one, await burn(one, 0)] as const))));
    await look();
    const measured = sharesOf(await costsOf("cpu"));
    assert.equal(measured.size, PREVIEWS);
    for (const number of numbers) {
      const [ours, theirs] = [measured.get(number) ?? 0, told.get(number) ?? 1];
      assert.ok(Math.abs(ours / theirs - 1) < 0.1, `shop#${number}: ${ours} of all, its process says ${theirs}`);
    }
  });

  it("cost nothing but their disk while they sleep", async () => {
    for (const number of numbers.slice(0, 5)) {
      await setAwake(dataDir, `shop-pr-${number}`, false);
      await store.setStatus(`shop#${number}`, { awake: false });
    }
    await look();
    const before = { work: await costsOf("cpu", "memory"), disk: await costsOf("disk") };
    await Promise.all(numbers.map((number) => burn(number, 0.1).catch(() => undefined)));
    clock.ms += 10 * 3_600_000;
    await look();
    const [work, disk] = [await costsOf("cpu", "memory"), await costsOf("disk")];
    for (const number of numbers) {
      const slept = number <= 5;
      assert.equal(work.get(number) === before.work.get(number), slept, `shop#${number}`);
      assert.ok((disk.get(number) ?? 0) > (before.disk.get(number) ?? 0), `shop#${number} has files`);
    }
  });
});
