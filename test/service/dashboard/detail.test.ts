/** What a preview's page, the doctor's and the repositories' are made of. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StackResource } from "../../../infra/stack-resources.ts";
import { previewView } from "../../../service/api/preview-view.ts";
import { detailPage, type Story } from "../../../service/dashboard/detail-page.ts";
import { doctorPage } from "../../../service/dashboard/doctor-page.ts";
import { repositoriesPage } from "../../../service/dashboard/repositories-page.ts";
import { outputWords, resourceTree, typeWords } from "../../../service/dashboard/resource-tree.ts";
import { timelineOf } from "../../../service/dashboard/timeline.ts";
import { dayOf, spanOf } from "../../../service/dashboard/times.ts";
import type { Deployment } from "../../../service/deployments/deployment.ts";
import type { Role } from "../../../service/roles.ts";
import { aPreview } from "../../support/previews.ts";

const T = (minute: number) => `2026-11-21T10:${String(minute).padStart(2, "0")}:00.000Z`;
const now = new Date(T(30));
const up: Deployment = {
  id: "3",
  key: "shop#42",
  kind: "up",
  commit: "b".repeat(40),
  cause: "New commit bbbbbbb",
  at: T(5),
  endedAt: T(6),
  outcome: "done",
  steps: [],
  lines: 1,
};
const empty: Story = {
  events: [],
  deployments: [],
  receipts: [],
  resources: [],
  outputs: {},
  cost: { sums: [] },
  chosen: {},
};
const frameOf = (role: Role) => ({ session: { csrf: "c", name: "@ada", role }, now });

describe("the timeline", () => {
  it("tells in words what was decided, who asked for what, and why something was deployed", () => {
    const events = timelineOf({
      history: [
        { key: "shop#42", at: T(6), reason: "Healthy", message: "Serving." },
        { key: "shop#42", at: T(5), reason: "Updating", message: "Building commit bbbbbbb." },
        { key: "shop#42", at: T(2), reason: "BuildFailed", message: "building: it broke", headSha: "a".repeat(40) },
      ],
      audit: [
        { at: T(4), actor: "@ada", action: "reset-db", via: "page", outcome: "refused", detail: "there is none" },
      ],
      deployments: [up],
      receipts: [
        {
          key: "shop#42",
          stack: "s",
          at: T(1),
          reason: "Merged",
          removed: ["urn"],
          proof: [{ what: "database", found: 0 }],
          durationMs: 5,
        },
      ],
    });
    assert.deepEqual(
      events.map(({ at, kind, title, text }) => [at, kind, title, text]),
      [
        [T(6), "condition", "It is ready", undefined],
        [T(5), "deployment", "A deployment began", "New commit bbbbbbb."],
        [T(4), "person", "@ada asked for reset db on the pages, and it was refused", "there is none."],
        [T(2), "condition", "It failed while building", "building: it broke"],
        [
          T(1),
          "receipt",
          "Receipt: it went because it was merged",
          "1 resources were removed, and nothing of it was found any more.",
        ],
      ],
    );
  });

  it("tells that a deployment was broken off, and of a reason of a later version", () => {
    const events = timelineOf({
      history: [{ key: "shop#42", at: T(1), reason: "SomethingNew", message: "It is new." }],
      audit: [],
      deployments: [{ ...up, outcome: "interrupted" }],
      receipts: [],
    });
    assert.deepEqual(
      events.map(({ title }) => title),
      ["It was broken off", "A deployment began", "It is something new"],
    );
  });
});

describe("a stack's resources", () => {
  const resource = (name: string, parent?: string, type = "stackling:local:Route"): StackResource => ({
    urn: `urn:${name}`,
    type,
    name,
    outputs: {},
    ...(parent ? { parent: `urn:${parent}` } : {}),
  });

  it("stand below what they belong to; the stack itself and a cycle of parents do no harm", () => {
    const tree = resourceTree([
      resource("stack", undefined, "pulumi:pulumi:Stack"),
      resource("service", "stack", "stackling:service:Local"),
      resource("web", "service"),
      resource("stray", "nobody"),
      resource("one", "two"),
      resource("two", "one"),
    ]);
    const names = (nodes: typeof tree): unknown[] =>
      nodes.map(({ resource: { name }, children }) => [name, names(children)]);
    assert.deepEqual(names(tree), [
      ["service", [["web", []]]],
      ["stray", []],
    ]);
  });

  it("show outputs without what may be a credential, and cut what is long", () => {
    const shown = outputWords({
      url: "postgres://me:hunter22@host/db",
      apiToken: "abc",
      password: "x",
      environment: { A: "b" },
      long: "y".repeat(1_000),
      empty: "",
    });
    assert.deepEqual(
      shown.map(([name]) => name),
      ["url", "long"],
    );
    assert.doesNotMatch(JSON.stringify(shown), /hunter22/);
    assert.ok((shown[1]?.[1].length ?? 0) < 400);
  });

  it("show nothing of a credential that lies deeper in an output, however it is quoted or cut", () => {
    const shown = outputWords({
      endpoint: { host: "db", credentials: { user: "me", code: "hunter22" }, ports: [1] },
      command: { args: ['serve --password="hunter22 and more"', "x".repeat(400)] },
    });
    assert.deepEqual(shown[0], ["endpoint", '{"host":"db","ports":[1]}']);
    assert.match(shown[1]?.[1] ?? "", /^\{"args":\["serve --password=\[redacted\]","xxx/);
    assert.doesNotMatch(JSON.stringify(shown), /hunter22|and more/);
  });

  it("are called by what they are", () => {
    assert.equal(typeWords("stackling:local:DatabaseAccess"), "database access");
    assert.equal(typeWords("kubernetes:apps/v1:Deployment"), "deployment");
    assert.equal(typeWords("stackling:database:Clone"), "database (clone)");
  });
});

describe("a preview's page", () => {
  const preview = aPreview({ urls: { web: "http://pr-42-shop.localhost:4000" } });
  const pageFor = (role: Role, story: Partial<Story> = {}) =>
    detailPage({ view: previewView(preview), story: { ...empty, ...story }, frame: frameOf(role) }).markup;

  it("leads to each of its sections", () => {
    const page = pageFor("operator", { deployments: [up] });
    const links = [...page.matchAll(/<li><a href="#([a-z]+)">/g)].map(([, id]) => id);
    assert.ok(links.includes("deployments") && links.includes("timeline") && links.includes("logs"));
    for (const id of links) assert.match(page, new RegExp(`id="${id}"`));
  });

  it("has no buttons for who may only look", () => {
    assert.match(pageFor("operator"), /action="\/previews\/shop%2342\/actions"/);
    assert.doesNotMatch(pageFor("viewer"), /action="\/previews\//);
  });

  it("leads to a commit where the forge shows it, and never out of http", () => {
    const withUrl = (commitUrl: string) => pageFor("viewer", { deployments: [up], commitUrl });
    assert.match(
      withUrl("https://git.acme.dev/shop/commit/{sha}"),
      new RegExp(`href="https://git.acme.dev/shop/commit/${"b".repeat(40)}"`),
    );
    assert.doesNotMatch(withUrl("javascript:alert({sha})"), /href="javascript/);
  });
});

describe("the doctor's page", () => {
  it("says what is wrong first, with the way out, as text", () => {
    const findings = [
      { ok: true, what: "the engine is there" },
      { ok: false, what: "the forge <b>hub</b> does not answer", remedy: "look at `forges`" },
    ];
    const { markup } = doctorPage({ at: now, findings, frame: frameOf("viewer") });
    assert.match(markup, /1 of 2 not as they should be/);
    assert.ok(markup.indexOf("does not answer") < markup.indexOf("The engine is there"));
    assert.match(markup, /Look at <code>forges<\/code>/);
    assert.doesNotMatch(markup, /<b>hub/);
  });

  it("looks again soon while it is being asked", () => {
    const { markup } = doctorPage({ at: now, findings: undefined, frame: frameOf("viewer") });
    assert.match(markup, /hx-trigger="every 2s"/);
  });
});

describe("the repositories' page", () => {
  it("names what is wrong in a preview.yaml, where its forge is, and when a webhook came", () => {
    const about = { name: "shop", forge: "hub", kind: "github", path: "acme/shop", target: "local", previews: 2 };
    const problems = ["preview.yaml is wrong", 'line 3: "servces" is no key <img>'];
    const url = "https://github.com/acme/shop";
    const { markup } = repositoriesPage([{ ...about, url, problems, lastDeliveryAt: T(28) }], frameOf("viewer"));
    assert.match(markup, /1 with a problem/);
    assert.match(markup, /line 3: &#34;servces&#34; is no key &#60;img&#62;/);
    assert.match(markup, /href="https:\/\/github.com\/acme\/shop"/);
    assert.match(markup, /2 min ago/);
  });
});

describe("times", () => {
  it("say how long and on which day", () => {
    assert.deepEqual(
      [
        spanOf(T(0), "2026-11-21T10:00:04.230Z"),
        spanOf(T(0), "2026-11-21T10:00:42.000Z"),
        spanOf(T(0), "2026-11-21T10:01:20.000Z"),
        spanOf(T(1), T(0)),
      ],
      ["4.2 s", "42 s", "1 min 20 s", "0.0 s"],
    );
    assert.match(dayOf(T(0), now), /^Today, Saturday,? 21 November 2026$/);
    assert.match(dayOf("2026-11-20T23:59:00.000Z", now), /^Yesterday, Friday,? 20 November 2026$/);
  });
});
