import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { parseApplication, repositoriesNamed } from "../../../service/config/application.ts";
import { defaultLimits as limits } from "../../../service/config/defaults.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const API = `
build: make
services:
  http:
    command: node http.js
    health: /ready
    memoryMiB: 128
    dependsOn: [cache, jobs]
    env:
      CACHE: \${services.cache.address}
      DATABASE: \${database.url}
      LEVEL: info
      TOKEN: \${secrets.TOKEN}
  cache: node cache.js
  jobs: { kind: worker, command: node jobs.js, env: { API: "\${services.http.url}" } }
database: true
secrets: { TOKEN: generated }
`;

describe("services of another repository in preview.yaml", () => {
  const others = (text: string) =>
    new Map([["api", { path: "acme/api", application: parseApplication(text, { file: "theirs", limits }) }]]);
  const shop = (services: string, more = "repositories: { api: acme/api }\ndatabase: true\n") =>
    `services:\n  web: { command: node web.js, env: { API: "\${services.api.url}" } }\n${services}${more}`;
  const parse = (text: string, theirs: string | undefined = API) =>
    parseApplication(text, { file: "preview.yaml", limits, ...(theirs ? { others: others(theirs) } : {}) });
  const problems = (text: string, theirs?: string) => {
    try {
      parse(text, theirs);
    } catch (error) {
      if (error instanceof ConfigError) return error.userMessage.split("\n");
      throw error;
    }
    return [];
  };
  const both = "  api: { from: api, service: http, env: { LEVEL: debug } }\n  cache: { from: api }\n";

  it("run as their own repository says, under their names here, with what is written here laid over it", () => {
    const { services, generatedSecrets, main } = parse(shop(both));
    assert.equal(main, "web");
    const [, api, cache] = services;
    assert.deepEqual(
      [api?.name, api?.source, api?.command, api?.healthPath, api?.memoryMiB],
      ["api", "api", "node http.js", "/ready", 128],
    );
    assert.deepEqual(api?.environment, {
      CACHE: "${services.cache.address}",
      DATABASE: "${database.url}",
      DATABASE_URL: "${database.url}",
      LEVEL: "debug",
      TOKEN: "${secrets.TOKEN}",
    });
    assert.deepEqual([api?.dependsOn, cache?.source, generatedSecrets], [["cache"], "api", ["TOKEN"]]);
  });

  it("refer to each other by their names here", () => {
    const jobs = "  api: { from: api, service: http, env: { CACHE: none } }\n  mailer: { from: api, service: jobs }\n";
    const mailer = parse(shop(jobs)).services.find(({ name }) => name === "mailer");
    assert.equal(mailer?.environment.API, "${services.api.url}");
  });

  it("are not wired to another service that happens to bear the name", () => {
    const text = shop("  api: { from: api, service: http }\n  cache: node my-cache.js\n");
    assert.deepEqual(problems(text), [
      'preview.yaml:3: service "api" needs "cache" of "acme/api" for CACHE, which is not taken over (the "cache" of this file is another one); take it over too ("from: api", "service: cache"), or set CACHE under "env"',
    ]);
    assert.deepEqual(problems(shop('  api: { from: api, service: http, env: { CACHE: "" } }\n')), []);
  });

  it("need a database and granted secrets here where they use them", () => {
    const granted = API.replace("TOKEN: generated", "TOKEN: granted");
    const text = shop(both, "repositories: { api: acme/api }\n");
    assert.match(problems(text).join(), /service "api": DATABASE refers to "\$\{database.url\}", but there is no/);
    assert.match(problems(shop(both), granted).join(), /TOKEN refers to .*"secrets" has no TOKEN/);
    assert.deepEqual(problems(`${shop(both)}secrets: { TOKEN: granted }\n`, granted), []);
  });

  it("are checked before anybody has read the other repository", () => {
    const { services, repositories } = parse(shop(both), "");
    assert.deepEqual([services.map(({ name }) => name), repositories], [["web", "api", "cache"], { api: "acme/api" }]);
    assert.deepEqual(repositoriesNamed(shop(both)), { api: "acme/api" });
    assert.deepEqual(repositoriesNamed("services: 5"), {});
  });

  it("say what cannot be, each with a way out", () => {
    const wrong = {
      "  api: { from: apo }\n": /"apo", which "repositories" does not name; did you mean "api"\?/,
      "  api: { from: api, service: htpp }\n": /"acme\/api" has no service "htpp"; did you mean "http"\?/,
      "  api: { from: api, command: x }\n": /whose own preview.yaml says its "command"; leave it out/,
      "  api: { command: x, service: http }\n": /"service" only goes with "from"/,
      "  api: node api.js\n": /"repositories" names "api", and no service is "from: api"/,
    };
    for (const [services, expected] of Object.entries(wrong)) assert.match(problems(shop(services)).join(), expected);
    const third = "repositories: { x: acme/x }\nservices: { http: { from: x }, other: y }\n";
    assert.match(
      problems(shop("  api: { from: api, service: http }\n"), third).join(),
      /comes from a third repository/,
    );
    const heavy = API.replace("memoryMiB: 128", "memoryMiB: 8000");
    assert.match(problems(shop(both), heavy).join(), /MiB of memory/);
  });
});

describe("linkedBy of a repository", () => {
  const place = { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/data/stackling" };
  const linkedBy = async (text: string) =>
    (await parseOperator(`repositories: [{path: ../shop}, {path: ../api, linkedBy: ${text}}]\n`, place)).repositories[1]
      ?.linkedBy;

  it("names repositories of the same file", async () => {
    assert.deepEqual(await linkedBy("[shop]"), ["shop"]);
    assert.deepEqual(await linkedBy("[]"), []);
    await assert.rejects(
      linkedBy("[shpo]"),
      (error) => error instanceof ConfigError && /"shpo", which is no .*did you mean "shop"\?/.test(error.message),
    );
  });
});
