import assert from "node:assert/strict";
import { access, chmod, constants, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { freePort, processesOn } from "../e2e/support/command-line.ts";
import { visitorOf } from "../e2e/support/visitor.ts";
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

  it("has an executable that answers", async () => {
    const { stdout } = await execa(process.execPath, [join(installed, "bin", "stackling.mjs"), "--help"], {
      cwd: project,
    });
    assert.match(stdout, /Usage: stackling/);
  });

  it("keeps the exit code of wrong use", async () => {
    const run = await execa(process.execPath, [join(installed, "bin", "stackling.mjs"), "no-such-verb"], {
      cwd: project,
      reject: false,
    });
    assert.equal(run.exitCode, 2);
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
      const stack = await execa(
        process.execPath,
        [join(installed, "bin", "stackling.mjs"), "pulumi", "work@main", "--data", dataDir, "--", "stack"],
        { cwd: project },
      );
      assert.match(stack.stdout, /stackling:local:Service/);
    } finally {
      up.kill("SIGINT");
      await up;
      await repository.remove();
    }
    assert.deepEqual(await processesOn(dataDir), []);
  });
});

/** What an install would put beside the package, without a second download of it. */
async function linkPackages(folder: string): Promise<void> {
  for (const name of await readdir(join(root, "node_modules"))) {
    if (!name.startsWith(".")) await symlink(join(root, "node_modules", name), join(folder, name));
  }
}
