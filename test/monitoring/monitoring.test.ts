/** Dashboards and alert rules ask for what there is, and in the way in which replicas say it. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parse } from "yaml";
import { CATALOG } from "../../service/metrics/catalog.ts";
import { SHARED_METRICS } from "../../service/metrics/catalog-shared.ts";
import type { MetricEntry } from "../../service/metrics/entry.ts";
import { createNumbers } from "../../service/metrics/registry.ts";
import { selectorsOf, withoutVariables } from "../support/promql.ts";
import { requires } from "../support/requires.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Example {
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly type: string; readonly definition?: string }[] };
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");
const RULES = "monitoring/alerts.yaml";
const { groups } = parse(read(RULES)) as { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const { tests: examples } = parse(read("monitoring/alerts.test.yaml")) as { readonly tests: readonly Example[] };
const dashboards = globSync("monitoring/grafana/*.json", { cwd: root })
  .sort()
  .map((file) => ({ file, board: JSON.parse(read(file)) as Dashboard }));

/** Labels that Prometheus itself puts to what it scrapes. */
const SCRAPED = ["instance", "job"];
const SUFFIX = /_(bucket|sum|count)$/;
const catalog: Readonly<Record<string, MetricEntry>> = CATALOG;
/** Of the process, by Prometheus' client: names alone are known. */
let others: ReadonlySet<string>;
before(async () => {
  others = new Set((await createNumbers().described()).map(({ name }) => name));
});

/** The metric that a name in a query is of, and what of its series. */
function metricOf(name: string): { readonly metric: string; readonly entry?: MetricEntry; readonly part?: string } {
  const base = name.replace(SUFFIX, "");
  const entry = catalog[base];
  if (entry?.kind === "histogram") {
    return { metric: base, entry, ...(name === base ? {} : { part: name.slice(base.length + 1) }) };
  }
  return { metric: name, ...(catalog[name] ? { entry: catalog[name] } : {}) };
}

/** What is wrong with one query; nothing when all is well. */
function wrongWith(expression: string): readonly string[] {
  return selectorsOf(withoutVariables(expression)).flatMap(({ metric: name, matchers, around, groupedBy }) => {
    const { metric, entry, part } = metricOf(name);
    if (!entry) return others.has(name) ? [] : [`there is no metric "${name}"`];
    const labels = [...entry.labels, ...SCRAPED, ...(part === "bucket" ? ["le"] : [])];
    const strange = [...matchers.map(({ label }) => label), ...groupedBy].filter((label) => !labels.includes(label));
    const unsaid = matchers.flatMap(({ label, values = [] }) =>
      values.filter((value) => entry.values?.[label]?.includes(value) === false).map((value) => `${label}="${value}"`),
    );
    const counts = entry.kind === "counter" || (entry.kind === "histogram" && part !== undefined);
    return [
      ...strange.map((label) => `"${metric}" has no label "${label}"`),
      ...unsaid.map((pair) => `"${metric}" never says ${pair}`),
      ...(entry.kind === "histogram" && part === undefined ? [`"${metric}" is a histogram`] : []),
      ...(counts && !["rate", "increase"].includes(around[0] ?? "")
        ? [`"${name}" only ever rises: take its rate`]
        : []),
      ...(metric in SHARED_METRICS && around[0] !== "max"
        ? [`"${metric}" is the same on every replica: take its max`]
        : []),
    ];
  });
}

describe("the check of queries", () => {
  const wrong: readonly (readonly [query: string, why: RegExp])[] = [
    ["sum(rate(stackling_nothing_total[5m]))", /no metric "stackling_nothing_total"/],
    ["sum by (key) (rate(stackling_transitions_total[5m]))", /no label "key"/],
    ['max(stackling_previews{number="42"})', /no label "number"/],
    ['max(stackling_previews{condition="Broken"})', /never says condition="Broken"/],
    ['sum(rate(stackling_engine_runs_total{outcome=~"done|faled"}[5m]))', /never says outcome="faled"/],
    ["sum(stackling_previews)", /take its max/],
    ["sum(stackling_transitions_total)", /take its rate/],
    ["histogram_quantile(0.9, stackling_wake_duration_seconds_bucket)", /take its rate/],
    ["max(stackling_wake_duration_seconds)", /is a histogram/],
  ];
  for (const [query, why] of wrong) {
    it(`refuses ${query}`, () => assert.match(wrongWith(query).join("; "), why));
  }

  it("refuses what is no PromQL", () => assert.throws(() => wrongWith("sum by (rate("), SyntaxError));
});

describe("the dashboards", () => {
  it("are three, each under an address of its own", () => {
    assert.deepEqual(
      dashboards.map(({ board }) => board.uid),
      ["stackling-cost", "stackling-lead-time", "stackling-operations"],
    );
  });

  for (const { file, board } of dashboards) {
    const targets = board.panels.flatMap((panel) => panel.targets ?? []);

    it(`${file} asks of metrics that exist`, () => {
      assert.ok(targets.length > 0);
      assert.deepEqual(
        targets.flatMap(({ expr }) => wrongWith(expr)),
        [],
      );
    });

    it(`${file} names its series by labels that are left`, () => {
      for (const { expr, legendFormat } of targets) {
        const left = selectorsOf(withoutVariables(expr)).flatMap(({ groupedBy, metric }) => [
          ...groupedBy,
          ...(others.has(metric) ? SCRAPED : []),
        ]);
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
        assert.deepEqual(
          named.filter((label) => !left.includes(label)),
          [],
          expr,
        );
      }
    });

    it(`${file} offers choices of labels that exist`, () => {
      for (const { definition } of board.templating.list) {
        if (definition === undefined) continue;
        const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
        assert.ok(catalog[metric]?.labels.includes(label), definition);
      }
    });
  }
});

describe("the alert rules", () => {
  const anchors = new Set(
    [...read("docs/operations.md").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    ),
  );

  it("are there for what must not go unseen", () => {
    const named = rules.map(({ alert }) => alert);
    assert.deepEqual(named, [...new Set(named)]);
    for (const about of [
      "InboxOld",
      "DestroyFails",
      "ProofMissing",
      "ForgeLimit",
      "NoProgress",
      "GatewayErrors",
      "BudgetReached",
      "Strays",
    ]) {
      assert.ok(named.includes(`Stackling${about}`), about);
    }
  });

  it("ask for metrics that exist", () => {
    assert.deepEqual(
      rules.flatMap(({ alert, expr }) => wrongWith(expr).map((why) => `${alert}: ${why}`)),
      [],
    );
  });

  it("say what is wrong and where to read what to do", () => {
    for (const { alert, labels, annotations } of rules) {
      assert.ok(["info", "warning", "critical"].includes(labels.severity), alert);
      assert.match(annotations.summary ?? "", /^\S.{15,}\.$/, alert);
      const [, anchor = ""] = /^docs\/operations\.md#([a-z0-9-]+)$/.exec(annotations.runbook ?? "") ?? [];
      assert.ok(anchors.has(anchor), `${alert}: docs/operations.md has no "${anchor}"`);
    }
  });

  it("name labels in their summaries that their series have", () => {
    for (const { alert, expr, annotations } of rules) {
      const used = [...(annotations.summary ?? "").matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label);
      const left = selectorsOf(expr).flatMap(({ groupedBy }) => groupedBy);
      assert.deepEqual(
        used.filter((label) => !left.includes(label)),
        [],
        alert,
      );
    }
  });

  it("each fire in some example", () => {
    const fired = examples.flatMap(({ alert_rule_test: asked }) =>
      asked.flatMap(({ alertname, exp_alerts: expected = [] }) => (expected.length > 0 ? [alertname] : [])),
    );
    assert.deepEqual(
      rules.map(({ alert }) => alert).filter((alert) => !fired.includes(alert)),
      [],
    );
  });

  it("have examples of series that there are", () => {
    const strange = examples.flatMap(({ input_series: given }) =>
      given.flatMap(({ series }) => wrongWith(series).filter((why) => /no metric|no label|never says/.test(why))),
    );
    assert.deepEqual(strange, []);
  });

  it("pass Prometheus' own check and its examples", requires("promtool"), async () => {
    await execa("promtool", ["check", "rules", "--lint-fatal", RULES], { cwd: root });
    await execa("promtool", ["test", "rules", "alerts.test.yaml"], { cwd: join(root, "monitoring") });
  });
});
