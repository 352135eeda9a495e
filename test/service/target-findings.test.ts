import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Finding } from "../../components/ports.ts";
import { parseOperator } from "../../service/config/operator.ts";
import { checkTargets } from "../../service/target-findings.ts";
import { type CloudflareServer, startCloudflareServer } from "../support/cloudflare-server.ts";
import { freePort } from "../support/free-port.ts";

const SECRET = "hushhush-4f1e";

describe("what doctor finds of targets", () => {
  let folder: string;
  let cloudflare: CloudflareServer;
  /** Where nobody listens. */
  let away: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-findings-"));
    cloudflare = await startCloudflareServer();
    away = `http://127.0.0.1:${await freePort()}`;
    process.env.FINDINGS_WRONG = SECRET;
    process.env.FINDINGS_BROKEN = `{not: [a kubeconfig: ${SECRET}`;
    process.env.FINDINGS_POSTGRES = `postgres://nobody:${SECRET}@${away.slice("http://".length)}/postgres`;
    await writeFile(
      join(folder, "away.yaml"),
      `
apiVersion: v1
kind: Config
current-context: stage
contexts: [{name: stage, context: {cluster: stage, user: me}}]
clusters: [{name: stage, cluster: {server: "${away.replace("http:", "https:")}"}}]
users: [{name: me, user: {token: ${SECRET}}}]
`,
    );
  });
  after(async () => {
    await cloudflare.close();
    for (const name of ["WRONG", "BROKEN", "POSTGRES"]) delete process.env[`FINDINGS_${name}`];
    await rm(folder, { recursive: true, force: true });
  });

  /** Findings that are not ok, without those of the engine's plugins, which this machine may lack. */
  async function faults(targets: Record<string, unknown>): Promise<readonly Finding[]> {
    const text = JSON.stringify({
      url: "https://preview.acme.dev",
      targets,
      repositories: [{ path: "shop", target: Object.keys(targets)[0] }],
    });
    const config = await parseOperator(text, {
      file: "stackling.yaml",
      directory: folder,
      dataDir: join(folder, "data"),
    });
    const found = await checkTargets(config, { dataDir: join(folder, "data"), path: "" });
    return found.filter(({ ok, what }) => !ok && !what.includes("plugin"));
  }

  const kubernetes = { driver: "kubernetes", kubeconfig: { env: "FINDINGS_NOT_SET" } };
  const wildcard = {
    driver: "cloudflare",
    mode: "wildcard",
    zone: "acme.dev",
    apiToken: { env: "FINDINGS_NOT_SET" },
    domain: "preview.acme.dev",
  };
  const ecs = {
    driver: "ecs",
    region: "eu-central-1",
    credentials: { accessKeyId: { env: "FINDINGS_NOT_SET" }, secretAccessKey: { env: "FINDINGS_NOT_SET" } },
    cluster: "previews",
    subnets: ["subnet-1"],
    securityGroups: ["sg-1"],
    namespace: { id: "ns-1", name: "previews.internal" },
  };

  const cases: readonly (readonly [string, () => Record<string, unknown>, readonly RegExp[]])[] = [
    [
      "credentials that are not there",
      () => ({
        one: {
          service: kubernetes,
          database: { driver: "neon", project: "spring-1", parent: "main", apiKey: { env: "FINDINGS_NOT_SET" } },
          dns: wildcard,
        },
      }),
      [
        /cluster.*"FINDINGS_NOT_SET"/,
        /Neon's API key.*"FINDINGS_NOT_SET"/,
        /Cloudflare's API token.*"FINDINGS_NOT_SET"/,
      ],
    ],
    [
      "credentials that are no credentials",
      () => ({
        one: {
          service: { ...kubernetes, kubeconfig: { env: "FINDINGS_BROKEN" } },
          database: false,
          dns: { ...wildcard, apiToken: { env: "FINDINGS_WRONG" }, apiUrl: cloudflare.url },
        },
      }),
      [/"FINDINGS_BROKEN" cannot be read as a kubeconfig/, /"acme\.dev"/],
    ],
    [
      "a cluster, an API and a database that are away",
      () => ({
        one: {
          service: { ...kubernetes, kubeconfig: { file: join(folder, "away.yaml") } },
          database: { driver: "clone", server: { env: "FINDINGS_POSTGRES" } },
          dns: { ...wildcard, apiToken: { env: "FINDINGS_WRONG" }, apiUrl: away },
        },
      }),
      [/cluster cannot be reached/, /database server does not answer/, /Cloudflare does not answer/],
    ],
    [
      "an account without its keys",
      () => ({ one: { service: ecs, database: false, dns: { ...wildcard, apiUrl: away } } }),
      [/AWS.*"FINDINGS_NOT_SET"/, /Cloudflare's API token/],
    ],
  ];

  for (const [what, targets, expected] of cases) {
    it(`names ${what}, each with the way out, in one line, without a secret`, async () => {
      const found = await faults(targets());
      for (const pattern of expected) {
        assert.ok(
          found.some((finding) => pattern.test(finding.what)),
          `${pattern} in ${JSON.stringify(found)}`,
        );
      }
      assert.equal(found.length, expected.length);
      for (const finding of found) {
        assert.ok(finding.remedy, finding.what);
        assert.doesNotMatch(finding.what, /\n|\bat .*:\d+|Error:/);
        assert.ok(!JSON.stringify(finding).includes(SECRET), finding.what);
      }
    });
  }

  it("says which target it speaks of where there are several", async () => {
    const dns = { ...wildcard, apiUrl: away };
    const found = await faults({
      one: { service: kubernetes, database: false, dns },
      two: { service: { ...kubernetes, context: "other" }, database: false, dns },
    });
    assert.ok(found.some((finding) => finding.what.startsWith('target "one": connecting to the cluster')));
    assert.ok(found.some((finding) => finding.what.startsWith('target "two": connecting to the cluster')));
    assert.ok(found.some((finding) => finding.what.startsWith('target "one", "two": reading Cloudflare')));
  });

  it("asks no server of ours, which only a running service has", async () => {
    assert.deepEqual(await faults({ local: {} }), []);
  });
});
