/** What previews cost by the command line, against the app itself. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { after, before, describe, it } from "node:test";
import { runCli } from "../../../service/cli/program.ts";
import type { DayCost } from "../../../service/money/ledger.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

const line = (key: string, cost: number, more: Partial<DayCost> = {}): DayCost => ({
  ...{ key, cost, day: "2026-11-20", source: "metered", meter: "cpu", quantity: cost * 100, unit: "vCPU-hours" },
  currency: "USD",
  ...more,
});

describe("costs by the command line", () => {
  let edge: AppEdge;
  before(async () => {
    edge = await startApp();
    edge.store.put(aPreview({ title: "Show the cart total" }));
  });
  after(() => edge.close());

  async function run(...args: readonly string[]) {
    const written = { stdout: "", stderr: "" };
    const screen = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
    });
    const code = await runCli(["cost", ...args], {
      environment: { STACKLING_URL: `http://127.0.0.1:${edge.port}`, STACKLING_TOKEN: TOKEN },
      directory: tmpdir(),
      stdout: screen("stdout"),
      stderr: screen("stderr"),
      version: "1.2.3",
    });
    return { code, ...written, lines: written.stdout.trimEnd().split("\n") };
  }

  it("says so while nothing was counted", async () => {
    assert.equal((await run()).stdout, "nothing was counted in November 2026\n");
    assert.match((await run("shop#42")).stdout, /^cost +nothing was counted yet$/m);
  });

  it("shows the dearest first, with its share and what it took", async () => {
    edge.ledger.push(
      line("shop#42", 6),
      line("shop#42", 1.5, { meter: "disk", unit: "GiB-months", quantity: 3 }),
      line("till#7", 2.5),
      line("till#7", 8, { day: "2026-10-02" }),
    );
    const { lines, code } = await run();
    assert.equal(code, 0);
    assert.match(lines[0] ?? "", /^\$10\.00 in November 2026, at this pace \$\d+\.\d\d by the end of the month/);
    assert.match(lines[2] ?? "", /^PREVIEW +COST +SHARE +CPU +MEMORY +OTHER +AUTHOR +TITLE$/);
    assert.match(lines[3] ?? "", /^shop#42 +\$7\.50 +75 % +600 h +\$1\.50 +ada/);
    assert.match(lines[4] ?? "", /^till#7 +\$2\.50 +25 % +250 h +\$0\.00 +ada/);
  });

  it("sums up as asked, of the month or repository asked for", async () => {
    const months = (await run("--by", "month")).lines.slice(3);
    assert.match(months[0] ?? "", /^2026-11 +\$10\.00/);
    assert.match(months[1] ?? "", /^2026-10 +\$8\.00/);
    assert.match((await run("--month", "2026-10")).lines[0] ?? "", /^\$8\.00 in October 2026 \(/);
    const { costs } = JSON.parse((await run("--by", "author", "--repository", "till", "--json")).stdout);
    assert.deepEqual(
      costs.map(({ name, cost, previews }: (typeof costs)[number]) => [name, cost, previews]),
      [["ada", 2.5, 1]],
    );
  });

  it("says of one preview what it took of what", async () => {
    const { lines } = await run("shop#42");
    assert.match(lines[0] ?? "", /^preview +shop#42 {2}Show the cart total/);
    assert.ok(lines.some((text) => /^CPU time +600 h +\$6\.00$/.test(text)));
    assert.ok(lines.some((text) => /^files on disk +3 GiB months +\$1\.50$/.test(text)));
    assert.ok((await run("shop#42", "--by", "day")).lines.some((text) => text.startsWith("2026-11-20")));
  });

  it("takes no sum and no month that is none", async () => {
    const sum = await run("--by", "cent");
    assert.deepEqual([sum.code, sum.stdout], [2, ""]);
    assert.match(sum.stderr, /"cent" is none of preview, pull-request, repository/);
    assert.match((await run("--month", "november")).stderr, /"november" is no month, which is written like 2026-11/);
    assert.match((await run("shop#404")).stderr, /there is none with the key "shop#404"/);
  });
});
