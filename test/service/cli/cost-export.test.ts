/** Costs as files by the command line and the API, against the app itself. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parquetReadObjects } from "hyparquet";
import { runCli } from "../../../service/cli/program.ts";
import type { DayCost } from "../../../service/money/ledger.ts";
import { type AppEdge, costsOf, startApp, TOKEN } from "../app/app-edge.ts";

const line = (key: string, cost: number, day: string): DayCost => ({
  ...{ key, cost, day, source: "metered", meter: "cpu", quantity: cost, unit: "vCPU-hours", currency: "USD" },
});

describe("an export of costs by the command line", () => {
  let edge: AppEdge;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "stackling-export-"));
    edge = await startApp();
    edge.ledger.push(line("shop#1", 1, "2026-11-30"), line("till#3", 2, "2026-11-01"), line("shop#1", 9, "2026-10-31"));
  });
  after(async () => {
    await edge.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function run(args: readonly string[], { token = TOKEN, port = edge.port } = {}) {
    const written = { stdout: "", stderr: "" };
    const screen = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
    });
    const code = await runCli(["cost", "export", ...args], {
      environment: { STACKLING_URL: `http://127.0.0.1:${port}`, STACKLING_TOKEN: token },
      directory,
      stdout: screen("stdout"),
      stderr: screen("stderr"),
      version: "1.2.3",
    });
    return { code, ...written };
  }
  const previews = (csv: string) => csv.match(/(shop#1|till#3)/g);

  it("is this month's CSV on standard output, or another month's", async () => {
    const { code, stdout } = await run([]);
    assert.equal(code, 0);
    assert.match(stdout, /^BilledCost,BillingAccountId,/);
    assert.equal(stdout.trim().split("\r\n").length, 3);
    const october = await run(["--month", "2026-10"]);
    assert.match(october.stdout, /\r\n9,/);
    assert.doesNotMatch(october.stdout, /till#3/);
  });

  it("is a file of either format, and says where", async () => {
    const csv = await run(["--out", "costs.csv"]);
    assert.match(csv.stdout, /^wrote .*costs\.csv, \d+ bytes\n$/);
    assert.ok(previews(await readFile(join(directory, "costs.csv"), "utf8")));
    const { stdout } = await run(["--format", "parquet", "--month", "2026-11", "--out", "costs.parquet", "--json"]);
    const path = join(directory, "costs.parquet");
    const { buffer, byteOffset, byteLength } = await readFile(path);
    const rows = await parquetReadObjects({ file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer });
    assert.deepEqual(JSON.parse(stdout), { file: path, format: "parquet", bytes: byteLength });
    assert.deepEqual(
      rows.map(({ x_Preview: preview, BilledCost: cost }) => [preview, cost]),
      [
        ["till#3", 2],
        ["shop#1", 1],
      ],
    );
  });

  it("fails where the file breaks off in the middle, and the log says why", async () => {
    const broken = (function* () {
      yield "BilledCost\r\n".repeat(10_000);
      throw new Error("no more of it");
    })();
    const other = await startApp({ costs: { ...costsOf([]), exported: async () => broken } });
    try {
      const { code, stdout } = await run([], { port: other.port });
      assert.deepEqual([code === 0, stdout], [false, ""]);
      assert.match(String(other.errors[0]), /no more of it/);
    } finally {
      await other.close();
    }
  });

  it("has of others' repositories nothing", async () => {
    const { token } = await edge.tokens.create({ name: "finance", role: "viewer", repositories: ["till"] }, "test");
    const { stdout } = await run([], { token });
    assert.deepEqual([...new Set(previews(stdout))], ["till#3"]);
  });

  it("says what it does not take", async () => {
    for (const [args, says] of [
      [["--format", "xlsx"], /"xlsx" is none of csv, parquet/],
      [["--month", "11"], /"11" is no month/],
      [["--format", "parquet"], /name a file by --out/],
      [["--json"], /standard output is for the file itself/],
    ] as const) {
      const { code, stderr } = await run(args);
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
    const { code, stderr } = await run(["--out", "no/such/folder.csv"]);
    assert.equal(code, 1);
    assert.match(stderr, /writing ".*no\/such\/folder\.csv": ENOENT/);
  });

  it("is an attachment that the browser saves under a name of its month", async () => {
    const { status, headers } = await edge.api({ path: "/costs/export?month=2026-11&format=parquet" });
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "application/vnd.apache.parquet");
    assert.equal(headers["content-disposition"], 'attachment; filename="stackling-2026-11.parquet"');
    assert.equal((await edge.api({ path: "/costs/export?month=2026-13" })).status, 400);
  });
});
