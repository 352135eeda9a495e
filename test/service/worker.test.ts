/** What a worker makes of the hints that come with a key. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import type { Job } from "../../service/store/queue.ts";
import { openTracing } from "../../service/tracing/open.ts";
import type { Tracing } from "../../service/tracing/tracing.ts";
import { startWorker } from "../../service/worker.ts";
import { type Collector, startCollector } from "../support/collector.ts";
import { eventually } from "../support/eventually.ts";

const trace = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;

describe("a worker", () => {
  let collector: Collector;
  let tracing: Tracing;
  const kept = { ...process.env };
  before(async () => {
    collector = await startCollector();
    Object.assign(process.env, collector.environment);
    const logger = { warn: () => {}, info: () => {} };
    tracing = await openTracing({ version: "1", logger: () => logger });
  });
  after(async () => {
    await tracing.close();
    for (const name of Object.keys(collector.environment)) {
      if (kept[name] === undefined) delete process.env[name];
      else process.env[name] = kept[name];
    }
    await collector.close();
  });

  /** One after the other, each when the one before has ended; what a line of the log would have borne in each. */
  const work = async (jobs: readonly Job[], reconcile: (key: string) => void = () => {}) => {
    const lines: Readonly<Record<string, string>>[] = [];
    const left = [...jobs];
    const worker = startWorker({
      queue: {
        fetch: async () => left.splice(0, 1),
        done: async () => {},
        waiting: async () => [],
        touch: async () => {},
        onWork: () => () => {},
      },
      reconcile: async (key) => {
        lines.push(tracing.fields());
        reconcile(key);
      },
      lookAgain: () => {},
      calm: async () => {},
      concurrency: 1,
      tracing,
      logger: pino({ level: "silent" }),
    });
    await eventually(() => lines.length === jobs.length);
    await worker.drain();
    return lines;
  };
  const spanOf = (line: Readonly<Record<string, string>> | undefined) =>
    eventually(() => collector.spans.find(({ spanId }) => spanId === line?.span_id));

  it("goes on with the first delivery's trace and links those that came while it waited", async () => {
    const [line] = await work([{ id: "1", key: "shop#1", deliveryId: "d-1", traces: [trace("a"), trace("b")] }]);
    assert.deepEqual([line?.key, line?.deliveryId, line?.trace_id], ["shop#1", "d-1", "a".repeat(32)]);
    const { parentSpanId, links, attributes } = await spanOf(line);
    assert.equal(parentSpanId, "a".repeat(16));
    assert.deepEqual(
      links.map(({ traceId }) => traceId),
      ["b".repeat(32)],
    );
    assert.equal(attributes["stackling.delivery.id"], "d-1");
  });

  it("begins a trace of its own for a key that nobody's delivery asked for, whatever it worked on before", async () => {
    const [, line] = await work([
      { id: "1", key: "shop#2", deliveryId: "d-2", traces: [trace("c")] },
      { id: "2", key: "shop#3" },
    ]);
    assert.deepEqual([line?.key, line?.deliveryId], ["shop#3", undefined]);
    assert.ok(!(await spanOf(line)).parentSpanId);
  });

  it("goes on with a trace that has not come to its end, until it has", async () => {
    const later = { id: "2", key: "shop#4" };
    const [, waiting] = await work([{ id: "1", key: "shop#4", traces: [trace("d")] }, later]);
    assert.equal(waiting?.trace_id, "d".repeat(32));
    tracing.unfinished.end("shop#4");
    const [ended] = await work([later]);
    assert.notEqual(ended?.trace_id, "d".repeat(32));
  });
});
