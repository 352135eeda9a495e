import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseOperator } from "../../../service/config/operator.ts";

const read = (stages: string, more = "targets: {local: {service: {driver: local}}}") =>
  parseOperator(
    `repositories:\n  - path: ./shop\n    secrets: {KEY: {env: TEST_KEY}}\n    stages:\n${stages}\n${more}\n`,
    {
      file: "stackling.yaml",
      directory: "/srv",
      dataDir: "/data",
    },
  );
const stagesIn = async (stages: string) => (await read(stages)).repositories[0]?.stages;
const problem = (stages: string, expected: RegExp) => assert.rejects(read(stages), expected);

describe("stages of a repository", () => {
  it("follow a branch, or take over what another one serves", async () => {
    const stages = await stagesIn(`      staging: {branch: main}
      production:
        from: staging
        approvals: {required: 2, by: ["@ana", "@ben"]}
        wait: 1h
        secrets: {KEY: {file: ./live-key}}`);
    assert.deepEqual(stages?.staging, {
      name: "staging",
      branch: "main",
      approvals: { required: 0, own: false },
      waitSeconds: 0,
      onFailure: "keep",
      target: "local",
      secrets: {},
      seed: false,
    });
    assert.deepEqual(stages?.production, {
      name: "production",
      from: "staging",
      approvals: { required: 2, by: ["@ana", "@ben"], own: false },
      waitSeconds: 3600,
      onFailure: "rollback",
      target: "local",
      secrets: { KEY: { file: "/srv/live-key" } },
      seed: false,
      banner: false,
    });
  });

  const faults: readonly (readonly [what: string, yaml: string, expected: RegExp])[] = [
    ["a name with a dash", "      pre-prod: {branch: main}", /stage "pre-prod".*lower-case letters and digits/],
    ["a name that begins the hosts of pull requests", "      pr: {branch: main}", /neither "pr" nor "br"/],
    ["neither a branch nor a stage before it", "      staging: {}", /either a "branch".*or a stage/],
    ["both", "      a: {branch: main}\n      b: {branch: main, from: a}", /stage "b".*either a "branch"/],
    ["a stage that is not there", "      b: {from: a}\n      c: {branch: x}", /there is no stage "a"; known: c/],
    ["a circle", "      a: {from: b}\n      b: {from: a}", /promoted from itself in the end/],
    ["approvals of a branch", "      a: {branch: main, approvals: {required: 1}}", /"approvals" is of promotions/],
    ["a wait of a branch", "      a: {branch: main, wait: 1h}", /"wait" is of promotions/],
    [
      "more approvals than people",
      "      a: {branch: main}\n      b: {from: a, approvals: {required: 2, by: ['@ana', '@Ana']}}",
      /"required" is 2, and "by" names 1/,
    ],
    ["a target that is not there", "      a: {branch: main, target: far}", /there is no target "far"; known: local/],
    [
      "a login that its forge has not",
      "      a: {branch: main, access: {forge: {clientId: x, clientSecret: {env: X}}}}",
      /stage "a".*no logins/,
    ],
    ["an unknown key", "      a: {branch: main, waits: 1h}", /waits/],
  ];
  for (const [what, yaml, expected] of faults) {
    it(`refuse ${what}`, () => problem(yaml, expected));
  }

  it("refuse to take a version from where no image ran to where images run", async () => {
    const targets = `targets:
  here: {service: {driver: local}}
  cluster: {service: {driver: kubernetes, kubeconfig: {env: KUBECONFIG}}, database: false}`;
    const stages = "      staging: {branch: main, target: here}\n      production: {from: staging, target: cluster}";
    await assert.rejects(
      read(`${stages}\n    target: here`, targets),
      /"cluster" runs images, and "here".*runs the source/,
    );
  });
});
