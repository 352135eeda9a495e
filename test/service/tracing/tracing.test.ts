/** Spans as a collector gets them, and what lines of the log are told. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { TerminalError } from "../../../components/errors.ts";
import type { RunEvent, Stacks } from "../../../infra/stacks.ts";
import { withSpans } from "../../../service/tracing/engine-spans.ts";
import { watchWithSpans } from "../../../service/tracing/forge-spans.ts";
import { openTracing } from "../../../service/tracing/open.ts";
import { createTracing, type Tracing } from "../../../service/tracing/tracing.ts";
import { createUnfinished } from "../../../service/tracing/unfinished.ts";
import { type Collector, startCollector } from "../../support/collector.ts";
import { eventually } from "../../support/eventually.ts";

const execFileAsync = promisify(execFile);
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

describe("traces that nobody asks for", () => {
  for (const environment of [
    {},
    { OTEL_TRACES_EXPORTER: "none", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
    { OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" },
  ]) {
    it(`are not made with ${JSON.stringify(environment)}`, async () => {
      const tracing = await openTracing({ version: "1", logger }, environment);
      assert.equal(tracing.isOn, false);
      const result = await tracing.span({ name: "one" }, async (span) => ({ span, ...tracing.origin() }));
      assert.deepEqual(result, { span: undefined });
    });
  }

  it("load no library for them", async () => {
    const open = new URL("../../../service/tracing/open.ts", import.meta.url).href;
    const program = `
      import { createRequire } from "node:module";
      const { openTracing } = await import(${JSON.stringify(open)});
      const { isOn } = await openTracing({ version: "1", logger: () => console });
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) => /sdk-trace|exporter|otlp/.test(file));
      process.stdout.write(JSON.stringify([isOn, loaded.length > 0]));`;
    const args = ["--input-type=module", "--eval", program];
    const asked = { OTEL_TRACES_EXPORTER: "console" };
    const run = async (environment: object) =>
      (await execFileAsync(process.execPath, args, { env: { PATH: process.env.PATH, ...environment } })).stdout;
    assert.deepEqual(await Promise.all([run({}), run(asked)]), ["[false,false]", "[true,true]"]);
  });

  it("leave the engine's runs as they are", () => {
    const stacks = {} as Stacks;
    assert.equal(withSpans(stacks, createTracing()), stacks);
  });

  it("are refused by name where a variable means nothing", async () => {
    for (const [name, value] of [
      ["OTEL_TRACES_EXPORTER", "jaeger"],
      ["OTEL_EXPORTER_OTLP_PROTOCOL", "udp"],
    ] as const) {
      const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", [name]: value };
      await assert.rejects(openTracing({ version: "1", logger }, environment), new RegExp(`${name}: "${value}"`));
    }
  });
});

describe("fields of the log", () => {
  it("follow the work through everything that it awaits, and end with it", async () => {
    const tracing = createTracing();
    const seen = await tracing.within({ key: "shop#1" }, () =>
      tracing.within({ deliveryId: "d1" }, async () => {
        await Promise.resolve();
        return tracing.fields();
      }),
    );
    assert.deepEqual(seen, { key: "shop#1", deliveryId: "d1" });
    assert.deepEqual(tracing.fields(), {});
  });
});

describe("traces", () => {
  let collector: Collector;
  let tracing: Tracing;
  const before_ = { ...process.env };
  before(async () => {
    collector = await startCollector();
  });
  beforeEach(async () => {
    Object.assign(process.env, collector.environment);
    tracing = await openTracing({ version: "1.2.3", logger });
    told.length = 0;
  });
  after(async () => {
    for (const name of Object.keys(collector.environment)) {
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    }
    await collector.close();
  });
  const sent = async (name: string) => {
    await tracing.close();
    return eventually(() => collector.spans.findLast((span) => span.name === name), { what: `a span "${name}"` });
  };

  it("go on from elsewhere, with links to what else led to it", async () => {
    const other = PARENT.replace(/b7ad/, "c7ad");
    await tracing.span(
      { name: "reconcile", kind: "consumer", parent: PARENT, links: [other, "nonsense"] },
      async () => {
        assert.equal(tracing.fields().trace_id, TRACE);
        assert.match(tracing.origin().traceparent ?? "", new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
      },
    );
    const span = await sent("reconcile");
    assert.deepEqual([span.traceId, span.parentSpanId, span.kind], [TRACE, "b7ad6b7169203331", 5]);
    assert.deepEqual(
      span.links.map(({ traceId, spanId }) => [traceId, spanId]),
      [[TRACE, "c7ad6b7169203331"]],
    );
    assert.deepEqual([span.resource["service.name"], span.resource["service.version"]], ["stackling", "1.2.3"]);
  });

  it("are made anew where what is handed on is no trace", async () => {
    await tracing.span({ name: "astray", parent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }, async () => {});
    assert.ok(!(await sent("astray")).parentSpanId);
  });

  it("tell the reason of a failure and never its words", async () => {
    const failure = new TerminalError({ reason: "BuildFailed", userMessage: "password=hunter22", cause: "hunter22" });
    await assert.rejects(
      tracing.span({ name: "failing" }, () => Promise.reject(failure)),
      failure,
    );
    const span = await sent("failing");
    assert.equal(span.attributes["error.type"], "BuildFailed");
    assert.equal(span.status.code, 2);
    assert.ok(!JSON.stringify(span).includes("hunter22"));
  });

  it("bound what an attribute holds", async () => {
    await tracing.span({ name: "long", attributes: { name: "x".repeat(5000), none: undefined } }, async () => {});
    const { attributes } = await sent("long");
    assert.deepEqual(attributes, { name: "x".repeat(256) });
  });

  it("hold the engine's steps, those that failed and those that were cut off too", async () => {
    const events: RunEvent[] = [
      { at: "", kind: "started" },
      step("create", "web", false),
      step("same", "kept", false),
      step("create", "web", true),
      step("update", "api", false),
      { ...step("update", "api", true), failed: true },
      step("delete", "old", false),
    ];
    const heard: RunEvent[] = [];
    const stacks = withSpans(
      {
        destroy: async ({ onEvent }) => {
          for (const event of events) onEvent?.(event);
          throw new TerminalError({ reason: "EngineInterrupted", userMessage: "" });
        },
      } as Partial<Stacks> as Stacks,
      tracing,
    );
    const request = { stack: "shop-pr-1", onEvent: (event: RunEvent) => heard.push(event) };
    await assert.rejects(stacks.destroy(request as Partial<Parameters<Stacks["destroy"]>[0]> as never));
    assert.deepEqual(heard, events);
    const run = await sent("pulumi destroy");
    const parts = collector.spans.filter(({ parentSpanId }) => parentSpanId === run.spanId);
    assert.deepEqual(
      new Map(parts.map(({ name, attributes }) => [name, attributes["error.type"]])),
      new Map([
        ["start engine", undefined],
        ["create stackling:local:Service", undefined],
        ["update stackling:local:Service", "ResourceFailed"],
        ["delete stackling:local:Service", "CutOff"],
      ]),
    );
  });

  it("hold what is asked of a forge, by its host alone, and go on with what asks", async () => {
    const seen: unknown[] = [];
    const watch = watchWithSpans(
      "github",
      (ask) => async (url, init) => {
        seen.push(String(url));
        return ask(url, init);
      },
      tracing,
    );
    const ask = watch(async () => new Response("", { status: 404 }));
    const address = `https://api.github.test/repos/acme/shop?access_token=hunter22`;
    await tracing.span({ name: "step read" }, async () => void (await ask(address, { method: "post" })));
    await ask("https://api.github.test/of-no-trace", { method: "DELETE" });
    const span = await sent("POST");
    assert.equal(collector.spans.filter(({ name }) => name === "DELETE").length, 0);
    assert.deepEqual(seen, [address, "https://api.github.test/of-no-trace"]);
    assert.deepEqual(span.attributes, {
      "http.request.method": "POST",
      "server.address": "api.github.test",
      "stackling.forge": "github",
      "http.response.status_code": 404,
    });
    assert.equal(span.parentSpanId, collector.spans.findLast(({ name }) => name === "step read")?.spanId);
  });

  it("say once that the collector refuses them, and once that it takes them again", async () => {
    const toldOf: object[] = [];
    const noting = (_fields: object, message: string) => {
      told.push(message);
      toldOf.push(tracing.fields());
    };
    tracing = await openTracing({ version: "1", logger: () => ({ warn: noting, info: noting }) });
    collector.refuse(true);
    for (const _ of [1, 2]) {
      const before = collector.requests.length;
      await tracing.within({ key: "shop#1" }, () => tracing.span({ name: "refused" }, async () => {}));
      await eventually(() => collector.requests.length > before);
    }
    await eventually(() => told.length > 0);
    collector.refuse(false);
    await eventually(async () => {
      await tracing.span({ name: "taken" }, async () => {});
      return told.length > 1;
    });
    assert.deepEqual(toldOf, [{}, {}], "they are of no preview");
    assert.deepEqual(told, ["traces could not be sent and are lost until they can", "traces are sent again"]);
  });

  it("are sent as the specification's default says where no protocol is chosen", async () => {
    delete process.env.OTEL_EXPORTER_OTLP_PROTOCOL;
    const other = await openTracing({ version: "1", logger });
    await other.span({ name: "binary" }, async () => {});
    await other.close();
    const request = collector.requests.at(-1);
    assert.equal(request?.headers["content-type"], "application/x-protobuf");
    assert.ok(request.body.includes("binary"));
  });
});

const told: string[] = [];
const logger = () => ({
  warn: (_fields: object, message: string) => void told.push(message),
  info: (_fields: object, message: string) => void told.push(message),
});

function step(operation: string, name: string, done: boolean): RunEvent {
  const type = "stackling:local:Service";
  return { at: "", kind: "resource", operation, urn: `urn:pulumi:a::b::${type}::${name}`, type, name, done };
}

describe("traces of which the end is not said yet", () => {
  it("are gone on with until it is, for an hour at most and of a thousand previews", () => {
    let now = 0;
    const unfinished = createUnfinished(() => now);
    unfinished.begin("shop#1", "one");
    unfinished.begin("shop#2", "two");
    unfinished.begin("shop#1", "again");
    unfinished.end("shop#2");
    assert.deepEqual([unfinished.of("shop#1"), unfinished.of("shop#2")], ["again", undefined]);
    for (let number = 3; number < 1_003; number++) unfinished.begin(`shop#${number}`, "other");
    assert.deepEqual([unfinished.of("shop#1"), unfinished.of("shop#3")], [undefined, "other"]);
    now = 3_600_000;
    assert.equal(unfinished.of("shop#3"), undefined);
  });
});
