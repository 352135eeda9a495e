/** Pull requests that mean harm: what they read, whom they reach, what they are called and what they ask for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { layout } from "../../components/local/layout.ts";
import { releaseIds } from "../../components/local/release-files.ts";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { eventually } from "../support/eventually.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { SPY, type SpyAnswer, spyOn } from "./support/spy-app.ts";
import { tinyApp } from "./support/tiny-app.ts";
import { visitorOf } from "./support/visitor.ts";

/** Only root gives previews users of their own. */
const asRoot = requires("engine", "postgres", "root");

const CONFIGURED = `
services:
  web: { command: node server.mjs, health: /health, memoryMiB: 200 }
database: { migrate: node migrate.mjs }
`;

let repository: TestRepository;
let instance: Instance;

describe("a hostile pull request", requires("engine", "postgres"), () => {
  before(async () => {
    repository = await createRepository({ files: { ...tinyApp({ text: "main" }), "preview.yaml": CONFIGURED } });
    instance = await prepareInstance({
      config: (port) => `port: ${port}\nrepositories:\n  - { path: ${repository.path}, name: hostile }\n`,
      environment: { STACKLING_CANARY: "of-the-operator", AWS_SECRET_ACCESS_KEY: "of-the-operator" },
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await repository.remove();
  });

  describe("that looks around", asRoot, () => {
    let victim: PreviewView;
    let spy: PreviewView;

    before(async () => {
      const there = await repository.commit("victim", { "secret.txt": "of the victim" });
      victim = await instance.waitForBranch("victim", isLive(there), "live");
      const commit = await repository.commit("spy", { "server.mjs": SPY });
      spy = await instance.waitForBranch("spy", isLive(commit), "live");
    });

    it("finds nothing of the operator's in its environment", async () => {
      const environment = await spied<Record<string, string>>({ what: "environment" });
      const text = JSON.stringify(environment);
      assert.doesNotMatch(text, /of-the-operator/);
      for (const secret of await operatorSecrets()) assert.ok(!text.includes(secret));
      const { DATABASE_URL, PORT, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, ...rest } = environment;
      assert.ok(DATABASE_URL && PORT);
      // Names of its own, and no collector of the operator's.
      const { SENTRY_ENVIRONMENT, SENTRY_RELEASE, ...others } = rest;
      assert.ok(OTEL_SERVICE_NAME && OTEL_RESOURCE_ATTRIBUTES && SENTRY_ENVIRONMENT && SENTRY_RELEASE);
      const expected =
        /^(PATH|HOME|TMPDIR|LANG|PWD|OLDPWD|SHLVL|_|STACKLING_\w+|\w+_proxy|\w+_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i;
      assert.deepEqual(
        Object.keys(others).filter((name) => !expected.test(name)),
        [],
      );
    });

    it("sees no environment of another preview's or the service's processes", async () => {
      const [other] = await pidsOf(victim.stack);
      for (const pid of [instance.pid(), other ?? 0]) {
        const answer = await spied<SpyAnswer>({ what: "read", path: `/proc/${pid}/environ` });
        assert.equal(answer.error, "EACCES");
      }
    });

    it("reads no file of the service", async () => {
      const paths = layout(instance.dataDir);
      const files = [paths.instance, paths.passphrase, paths.previewsUrl, paths.users];
      const folders = [paths.root, paths.state, paths.mirrors, paths.previews, paths.pulumiHome, paths.fences];
      const state = join(paths.state, ".pulumi/stacks/stackling", `${victim.stack}.json`);
      for (const path of [...files, ...folders, state]) await refused(path);
      for (const name of ["store", "previews"]) await refused(join(paths.postgres, name, "data"));
    });

    it("reads no file of another preview, and not even the launch files of its own", async () => {
      const { folder, checkouts, services, logs, routes, home } = layout(instance.dataDir).preview(victim.stack);
      const [checkout = ""] = (await readdir(checkouts)).filter((name) => !name.includes("."));
      assert.equal(await readFile(join(checkouts, checkout, "secret.txt"), "utf8"), "of the victim");
      for (const path of [folder, checkouts, services, logs, routes, home]) await refused(path);
      await refused(join(checkouts, checkout, "secret.txt"));
      const own = layout(instance.dataDir).preview(spy.stack);
      for (const path of [own.services, own.routes]) await refused(path);
    });

    it("writes nothing outside of its own folders", async () => {
      const own = layout(instance.dataDir).preview(spy.stack);
      const targets = [own.folder, own.checkouts, own.routes, layout(instance.dataDir).root, repository.path];
      for (const folder of targets) {
        const { error } = await spied<SpyAnswer>({ what: "write", path: join(folder, "was-here") });
        assert.ok(error === "EACCES" || error === "EPERM", `writing to ${folder}: ${error}`);
      }
      assert.equal((await spied<SpyAnswer>({ what: "write", path: join(own.home, "was-here") })).error, undefined);
    });

    it("signals no process of another preview nor the service", async () => {
      const [other] = await pidsOf(victim.stack);
      for (const pid of [instance.pid(), other ?? 0]) {
        assert.equal((await spied<SpyAnswer>({ what: "signal", pid: String(pid) })).error, "EPERM");
      }
    });

    it("is told nothing by the API without a token, whatever Host it sends", async () => {
      const port = String(instance.port);
      const hosts = [`localhost:${port}`, `127.0.0.1:${port}`, new URL(victim.url ?? "").host, "evil.example", ""];
      for (const host of hosts) {
        for (const [method, path] of [
          ["GET", "/api/v1/previews"],
          ["GET", "/api/v1/doctor"],
          ["GET", "/metrics"],
          ["POST", `/api/v1/previews/${encodeURIComponent(victim.key)}/actions`],
        ]) {
          const answer = await spied<SpyAnswer>({ what: "call", port, host, method: method ?? "", path: path ?? "" });
          const toItsPage = host.startsWith("pr-") && answer.status === 200;
          if (toItsPage) assert.match(answer.text ?? "", /^main /, "the victim's own page answers on its host");
          else assert.ok([400, 401, 403, 404, 421].includes(answer.status ?? 0), `${host} ${path}: ${answer.status}`);
          assert.doesNotMatch(answer.text ?? "", /hostile#|"stack"/);
        }
      }
      assert.equal((await instance.client.find(victim.key)).reason, "Healthy");
    });

    it("gets into no database but its own", async () => {
      const environment = await spied<Record<string, string>>({ what: "environment" });
      const url = new URL(environment.DATABASE_URL ?? "");
      await login(url.href);
      const databases = [victim.database ?? "", "postgres", "template1"];
      for (const name of databases) {
        const elsewhere = new URL(url);
        elsewhere.pathname = `/${name}`;
        await assert.rejects(login(elsewhere.href), { code: "42501" }, name);
      }
      const admin = new URL((await readFile(layout(instance.dataDir).previewsUrl, "utf8")).trim());
      for (const user of [admin.username, victim.database ?? ""]) {
        const posing = new URL(url);
        posing.username = user;
        await assert.rejects(login(posing.href), { code: "28P01" }, user);
      }
    });

    it("takes nothing from the server by its own role's rights", async () => {
      const environment = await spied<Record<string, string>>({ what: "environment" });
      const refusedCommands = [
        "CREATE DATABASE more",
        "CREATE ROLE more",
        `ALTER ROLE CURRENT_USER CONNECTION LIMIT -1`,
        "SELECT pg_read_file('postgresql.conf')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        `SET ROLE "${victim.database}"`,
      ];
      for (const command of refusedCommands) {
        await assert.rejects(login(environment.DATABASE_URL ?? "", command), { code: "42501" }, command);
      }
    });

    it(
      "deletes no production record, reaches no customer's webhook and bills nobody",
      requires("nftables"),
      async () => {
        // A production server and a customer's, on another address of this machine, and on loopback.
        let visits = 0;
        const theirs = createServer(() => {
          visits++;
        });
        theirs.listen({ host: "::", port: 0, ipv6Only: false });
        await once(theirs, "listening");
        const { port } = theirs.address() as AddressInfo;
        try {
          for (const host of ["127.0.0.1", "::1", ...outerAddresses()]) {
            const { error } = await spied<SpyAnswer>({ what: "connect", host, port: String(port) });
            assert.equal(error, "ECONNREFUSED", host);
          }
          const [outer = "198.51.100.7"] = outerAddresses();
          for (const url of [`http://${outer}:${port}/hook`, "https://api.payments.example/charge"]) {
            const answer = await spied<SpyAnswer>({ what: "fetch", url });
            assert.equal(answer.status, undefined, url);
          }
          assert.ok((await spied<SpyAnswer>({ what: "connect", host: "198.51.100.7", port: "5432" })).error);
          assert.equal(visits, 0);
          const refused = await eventually(async () => {
            const { refusedCalls = [], egress } = await instance.client.find(spy.key);
            assert.equal(egress, "enforced");
            // What did not ask the proxy comes a little later.
            const asked = refusedCalls.filter(({ why }) => why === "unlisted");
            return asked.length >= 2 && asked;
          });
          assert.deepEqual(refused.map(({ host, why }) => `${host} ${why}`).sort(), [
            `${outer} unlisted`,
            "api.payments.example unlisted",
          ]);
        } finally {
          theirs.close();
        }
      },
    );

    function spied<T>(question: Readonly<Record<string, string>>): Promise<T> {
      return spyOn<T>(spy.url ?? "", question);
    }

    async function refused(path: string): Promise<void> {
      const { error } = await spied<SpyAnswer>({ what: "read", path });
      assert.equal(error, "EACCES", path);
    }
  });

  describe("with a name that is meant to do something", { concurrency: 2 }, () => {
    const names = [
      `it's-"quoted"`,
      "a;touch-was-here;b",
      "$(touch-was-here)",
      "`touch-was-here`",
      "ünïcødé-分支-🫖",
      "-rf",
      "--upload-pack=touch",
      "deep/er/and/deeper/still",
      "{percent}%2e%2e%00&<script>",
      "x".repeat(200),
    ];
    for (const name of names) {
      it(`is live all the same: ${name.slice(0, 30)}`, async () => {
        const commit = await repository.commit(name, { "text.txt": "named" });
        const { url = "" } = await instance.waitForBranch(name, isLive(commit), "live");
        await eventually(async () => (await visitorOf(url).get("/")).text.startsWith(`named ${commit} `));
        assert.ok((new URL(url).hostname.split(".")[0] ?? "").length <= 63);
        await repository.deleteBranch(name);
        await eventually(async () => (await visitorOf(url).get("/")).status === 404);
      });
    }
  });

  it("changes neither target nor limits nor commands by its own preview.yaml", async () => {
    const greedy = `
services:
  web: { command: "echo taken over; node server.mjs", health: /health, memoryMiB: 4000, cpu: 4 }
  more: { kind: worker, command: sleep 1000 }
secrets: { DEPLOY_KEY: granted }
env: { GREEDY: "yes" }
`;
    const commit = await repository.commit("greedy", { "preview.yaml": greedy, "text.txt": "greedy" });
    const live = await instance.waitForBranch("greedy", isLive(commit), "live");
    assert.deepEqual(Object.keys(live.urls), ["web"]);
    const preview = layout(instance.dataDir).preview(live.stack);
    const [release = "", ...more] = await releaseIds(instance.dataDir, live.stack);
    assert.deepEqual(more, []);
    const launch = JSON.parse(await readFile(preview.release(release).launch, "utf8")) as Launch;
    assert.deepEqual([launch.command, launch.memoryMiB, launch.cpu], ["node server.mjs", 200, 0.5]);
    assert.equal(launch.environment.GREEDY, undefined);
    const { comment = "" } = await instance.client.find(live.key);
    assert.match(comment, /preview\.yaml/);
    await repository.deleteBranch("greedy");
    await instance.waitFor(live.key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack: live.stack }), []);
  });
});

interface Launch {
  readonly command: string;
  readonly memoryMiB: number;
  readonly cpu: number;
  readonly environment: Readonly<Record<string, string>>;
}

function isLive(commit: string): (preview: PreviewView) => boolean {
  return (preview) => preview.reason === "Healthy" && preview.commit === commit;
}

/** IPv4 addresses of this machine that are not loopback. */
function outerAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flat();
  return all.flatMap((one) => (one && !one.internal && one.family === "IPv4" ? [one.address] : []));
}

async function pidsOf(stack: string): Promise<number[]> {
  const { release } = layout(instance.dataDir).preview(stack);
  const [id = ""] = await releaseIds(instance.dataDir, stack);
  const state = JSON.parse(await readFile(release(id).process, "utf8")) as {
    processes: Record<string, { pid: number }>;
  };
  return Object.values(state.processes).map(({ pid }) => pid);
}

async function operatorSecrets(): Promise<string[]> {
  const { instance: file, passphrase, previewsUrl } = layout(instance.dataDir);
  const { token } = JSON.parse(await readFile(file, "utf8")) as { token: string };
  const { password } = new URL((await readFile(previewsUrl, "utf8")).trim());
  return [token, (await readFile(passphrase, "utf8")).trim(), password];
}

async function login(connectionString: string, command = "SELECT 1"): Promise<void> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(command);
  } finally {
    await client.end();
  }
}
