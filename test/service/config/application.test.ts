import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseApplication } from "../../../service/config/application.ts";
import { problemsOf as problems } from "./problems.ts";

const limits = { memoryMiB: 2048, cpu: 4, services: 4 };
const parse = (text: string) => parseApplication(text, { file: "preview.yaml", limits });
const problemsOf = (text: string) => problems(() => parse(text));

describe("reading preview.yaml", () => {
  it("fills in what one line leaves out", () => {
    const { services, main, database } = parse("services: {web: npm start}\n");
    assert.equal(main, "web");
    assert.equal(database, undefined);
    assert.deepEqual(services, [
      {
        name: "web",
        kind: "web",
        command: "npm start",
        directory: ".",
        startTimeoutSeconds: 60,
        environment: {},
        dependsOn: [],
        sidecars: [],
        memoryMiB: 512,
        cpu: 0.5,
      },
    ]);
  });

  it("reads the example's own file", async () => {
    const text = await readFile(new URL("../../../examples/shop/preview.yaml", import.meta.url), "utf8");
    const application = parseApplication(text, { file: "preview.yaml", limits });
    assert.deepEqual(
      application.services.map(({ name, kind }) => [name, kind]),
      [
        ["web", "web"],
        ["api", "web"],
        ["worker", "worker"],
        ["emulated-mail", "web"],
      ],
    );
  });

  it("reads images by commit, and sidecars as text or map", () => {
    const { services } = parse(
      'services: {web: {image: "ghcr.io/acme/shop:{sha}", readOnlyRoot: true, sidecars: {a: x, b: {image: "redis:8", port: 6379}}}}\n',
    );
    const [web] = services;
    assert.deepEqual([web?.image, web?.command, web?.readOnlyRoot], ["ghcr.io/acme/shop:{sha}", undefined, true]);
    assert.deepEqual(web?.sidecars, [
      { name: "a", command: "x" },
      { name: "b", image: "redis:8", port: 6379 },
    ]);
  });

  it("gives every service the address of the database and the shared environment, its own winning", () => {
    const { services } = parse("database: true\nenv: {A: 1, B: 2}\nservices: {web: {command: x, env: {B: 3}}}\n");
    assert.deepEqual(services[0]?.environment, { DATABASE_URL: "${database.url}", A: "1", B: "3" });
  });

  it("keeps the database over pushes unless it says reset", () => {
    const onPush = (said: string) => parse(`database: {${said}}\nservices: {web: x}\n`).database?.onPush;
    assert.deepEqual(["", "onPush: keep", "onPush: reset"].map(onPush), [undefined, undefined, "reset"]);
  });

  it("lists all problems at once, each with its line and a way out", () => {
    assert.deepEqual(
      problemsOf(`services:
  web:
    comand: npm start
    kind: wbe
  Api: x
foo: 1
`),
      [
        'preview.yaml:3: unknown key "comand" in "services.web"; did you mean "command"?',
        'preview.yaml:4: "services.web.kind" is "wbe"; must be one of "web", "worker", "cron", "job"; did you mean "web"?',
        'preview.yaml:5: name "Api" must be lower-case letters, digits and dashes, a letter first and no dash last, at most 30 characters',
        'preview.yaml:6: unknown key "foo"; known: services, repositories, main, install, build, database, env, secrets, external, flags, access, banner, login, smoke, gates, onFailure, submodules, lfs',
      ],
    );
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ["an empty file", "", /is empty/],
    ["a list", "- 1\n", /must be a map, is a list/],
    ["broken YAML", "services: [\n", /preview\.yaml:\d+: is not valid YAML/],
    ["two services of one name", "services:\n  web: a\n  web: b\n", /preview\.yaml:3: .*unique/],
    ["a name that ends in a dash", "services: {web-: x}\n", /name "web-" must be .* no dash last/],
    [
      "an image without a tag",
      "services: {web: {image: ghcr.io/acme/shop}}\n",
      /has no tag.*write "ghcr.io\/acme\/shop:\{sha\}"/,
    ],
    [
      "the latest image",
      'services: {web: {image: "acme/shop:latest"}}\n',
      /whatever is the latest; write "acme\/shop:\{sha\}"/,
    ],
    [
      "an image that is the same for every commit",
      'services: {web: {image: "acme/shop:1"}}\n',
      /same for every commit.*@sha256:…/,
    ],
    ["an unknown placeholder", 'services: {web: {image: "acme/shop:{branch}"}}\n', /unknown placeholder "\{branch\}"/],
    [
      "the latest sidecar",
      'services: {web: {command: x, sidecars: {cache: {image: "redis:latest"}}}}\n',
      /sidecar "cache": image "redis:latest" is whatever is the latest/,
    ],
    [
      "a sidecar of nothing",
      "services: {web: {command: x, sidecars: {cache: {port: 1}}}}\n",
      /needs a "command" or an "image"/,
    ],
    [
      "an unknown key of a sidecar",
      "services: {web: {command: x, sidecars: {cache: {cmd: y}}}}\n",
      /unknown key "cmd".*cache/,
    ],
    ["no command", "services: {web: {}}\n", /needs a "command"/],
    ["nothing to link to", "services: {w: {kind: worker, command: x}}\n", /nothing to link to/],
    [
      "an unknown dependency",
      "services: {web: {command: x, dependsOn: [ap]}, api: y}\n",
      /"ap", which is no service; did you mean "api"\?/,
    ],
    ["a circle", "services: {a: {command: x, dependsOn: [b]}, b: {command: x, dependsOn: [a]}}\n", /a → b → a/],
    ["a wrong schedule", 'services: {web: x, c: {command: x, schedule: "61 * * * *"}}\n', /is no cron expression/],
    [
      "a schedule that never comes",
      'services: {web: x, c: {command: x, schedule: "0 0 30 2 *"}}\n',
      /never comes to pass/,
    ],
    ["a schedule with seconds", 'services: {web: x, c: {command: x, schedule: "* * * * * *"}}\n', /five fields/],
    ["a folder outside", "services: {web: {command: x, directory: ../other}}\n", /leaves the repository/],
    ["a build folder outside", "build: {command: x, directory: /etc}\nservices: {web: x}\n", /must be relative/],
    ["a health path without slash", "services: {web: {command: x, health: ok}}\n", /must begin with \//],
    ["an unknown reference", 'services: {web: {command: x, env: {A: "${nope}"}}}\n', /unknown reference "\$\{nope\}"/],
    [
      "a reference to no database",
      'services: {web: {command: x, env: {A: "${database.url}"}}}\n',
      /there is no "database"/,
    ],
    [
      "a reference to a worker",
      'services: {web: {command: x, env: {A: "${services.w.url}"}}, w: {kind: worker, command: x}}\n',
      /has no address/,
    ],
    ["a secret nobody declared", 'services: {web: {command: x, env: {A: "${secrets.KEY}"}}}\n', /"secrets" has no KEY/],
    ["a variable of ours", "services: {web: {command: x, env: {PORT: 1}}}\n", /PORT is set by Stackling/],
    ["too much memory", "services: {web: {command: x, memoryMiB: 4096}}\n", /asks for 4096 MiB .*allows 2048/],
    ["too many services", "services: {a: x, b: x, c: x, d: x, e: x}\n", /asks for 5 services; the operator allows 4/],
    ["a bomb of aliases", `a: &a [1]\nb: &b [${"*a,".repeat(20)}]\nc: [${"*b,".repeat(20)}]\n`, /alias/],
    ["a huge file", `# ${"x".repeat(300_000)}`, /larger than/],
  ];
  for (const [what, text, message] of wrong) {
    it(`refuses ${what}`, () => {
      assert.match(problemsOf(text).join("\n"), message);
    });
  }

  it("throws nothing but ConfigError, whatever the text", () => {
    const piece = fc.constantFrom(
      "services:",
      " web:",
      "  command: x",
      "- ",
      "${",
      "&a ",
      "*a",
      "{",
      "}",
      "\n",
      "\t",
      "env: ",
      "null",
      "'",
      '"',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.array(piece, { maxLength: 30 }).map((parts) => parts.join("")),
        ),
        (text) => {
          problemsOf(text);
        },
      ),
      { numRuns: 500 },
    );
  });
});
