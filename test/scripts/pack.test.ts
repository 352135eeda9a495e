import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import {
  access,
  chmod,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { processesOn } from "../e2e/support/command-line.ts";
import { visitorOf } from "../e2e/support/visitor.ts";
import { freePort } from "../support/free-port.ts";
import { createRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the packed package, in another project's node_modules", () => {
  let project: string;
  let installed: string;

  before(async () => {
    project = await realpath(await mkdtemp(join(tmpdir(), "stackling-pack-")));
    installed = join(project, "node_modules", "stackling");
    await mkdir(installed, { recursive: true });
    const cli = process.env.npm_execpath;
    const [npm, first] = cli ? [process.execPath, [cli]] : ["npm", []];
    const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    await execa(npm, [...first, "pack", "--pack-destination", project, "--loglevel=error"], { cwd: root, env });
    const [tarball] = (await readdir(project)).filter((name) => name.endsWith(".tgz"));
    await execa("tar", ["-xzf", join(project, tarball ?? ""), "--strip-components=1", "-C", installed]);
    await linkPackages(join(project, "node_modules"));
  });
  after(() => rm(project, { recursive: true, force: true }));

  /** As `npx stackling` would, from the project's own folder. */
  const stackling = (...args: readonly string[]) =>
    execa(process.execPath, [join(installed, "bin", "stackling.mjs"), ...args], { cwd: project, reject: false });

  it("has an executable that answers, and says its version", async () => {
    assert.match((await stackling("--help")).stdout, /Usage: stackling/);
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    assert.equal((await stackling("--version")).stdout, version);
  });

  it("keeps the exit code of wrong use", async () => {
    assert.equal((await stackling("no-such-verb")).exitCode, 2);
  });

  it("reads the project's configuration", async () => {
    await writeFile(join(project, "preview.yaml"), "services:\n  web: {comand: npm start}\n");
    const wrong = await stackling("config", "check", "preview.yaml");
    assert.equal(wrong.exitCode, 1);
    assert.match(`${wrong.stdout}${wrong.stderr}`, /preview\.yaml:2: unknown key "comand"/);
    await writeFile(join(project, "preview.yaml"), "services:\n  web: {command: npm start}\n");
    await writeFile(join(project, "stackling.yaml"), "repositories: [{path: ., name: project}]\n");
    for (const file of ["preview.yaml", "stackling.yaml"]) {
      const right = await stackling("config", "check", file);
      assert.equal(right.exitCode, 0, right.stderr);
    }
  });

  it("shows the life of a pull request, and leaves nothing", requires("engine", "postgres"), async () => {
    // Preview services run as users of their own, who must pass through.
    await chmod(project, 0o755);
    const { exitCode, stdout, stderr } = await stackling("demo", "--once", "--json");
    assert.equal(exitCode, 0, stderr);
    const steps = stdout.split("\n").map((line) => (JSON.parse(line) as { step: string }).step);
    assert.deepEqual(steps, ["opened", "live", "pushed", "updated", "closed", "gone"]);
  });

  it("gives its components and infra to other programs", async () => {
    const script = `
      const { registry } = await import("stackling/components/registry");
      const { PreviewComponent } = await import("stackling/components/preview-component");
      await import("stackling/infra/names");
      console.log(typeof registry, typeof PreviewComponent);`;
    const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", script], { cwd: project });
    assert.equal(stdout, "object function");
  });

  it("brings everything that its processes are started from, and nothing that Node cannot run there", async () => {
    const files = await readdir(installed, { recursive: true });
    for (const needed of [
      "dist/infra/runner-child.js",
      "dist/infra/watchdog.js",
      "dist/components/local/provider.js",
      "dist/service/git-any-owner.gitconfig",
      "dist/service/gateway/assets/page.css",
      "dist/service/dashboard/assets/base.css",
      "dist/examples/shop/preview.yaml",
      "dist/Pulumi.yaml",
      "bin/pulumi-resource-stackling",
      "bin/language-host/pulumi-language-nodejs",
      "bin/pulumi-analyzer-policy-stackling",
      "dist/components/policy/PulumiPolicy.yaml",
      "dist/components/policy/main.js",
      "dist/infra/language-host.js",
      "tools/engine/go.mod",
    ]) {
      assert.ok(files.includes(needed), needed);
    }
    const sources = files.filter((file) => /(?<!\.d)\.ts$/.test(file) && !file.startsWith("dist/examples/"));
    assert.deepEqual(sources, []);
    await access(join(installed, "dist/service/forges/git-askpass.sh"), constants.X_OK);
  });

  it("brings up a folder of static files, and ends with all of it", requires("engine", "postgres"), async () => {
    const repository = await createRepository({ files: { "index.html": "<h1>Packed</h1>" } });
    // Preview services run as users of their own, who must pass through.
    await chmod(project, 0o755);
    const dataDir = join(project, "data");
    const call = ["up", repository.path, "--json", "--data", dataDir, "--port", String(await freePort())];
    const up = execa(process.execPath, [join(installed, "bin", "stackling.mjs"), ...call], { cwd: project });
    try {
      const lines = up[Symbol.asyncIterator]();
      const { value } = await lines.next();
      const { url } = JSON.parse(String(value)) as { url: string };
      assert.match((await visitorOf(url).get("/")).text, /Packed/);
      const stack = await stackling("pulumi", "work@main", "--data", dataDir, "--", "stack");
      assert.match(stack.stdout, /stackling:local:Service/);
    } finally {
      up.kill("SIGINT");
      await up;
      await repository.remove();
    }
    assert.deepEqual(await processesOn(dataDir), []);
  });
});

/** What an install would put beside the package, without a second download of it: nothing that only tests use. */
async function linkPackages(folder: string): Promise<void> {
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
  };
  for (const [path, { dev, devOptional }] of Object.entries(packages)) {
    const [, name = ""] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    if (name === "" || dev || devOptional || !existsSync(join(root, path))) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await symlink(join(root, path), join(folder, name));
  }
}
