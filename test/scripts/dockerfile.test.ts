/** What can be told of the Dockerfile without building it; and the image, where something builds one. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { builderPath, requires } from "../support/requires.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Instruction {
  readonly name: string;
  readonly args: string;
}

/** Instructions of each stage, the lines before the first `FROM` as a stage of their own. */
function stagesOf(text: string): readonly (readonly Instruction[])[] {
  const lines = text
    .split("\n")
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
  const stages: Instruction[][] = [[]];
  for (const line of lines) {
    const [, name = "", args = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    assert.ok(KNOWN.has(name), `no instruction: ${line}`);
    if (name === "FROM") stages.push([]);
    stages.at(-1)?.push({ name, args });
  }
  return stages;
}

const KNOWN = new Set("ARG FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE HEALTHCHECK ENTRYPOINT CMD".split(" "));

describe("the Dockerfile", () => {
  let stages: readonly (readonly Instruction[])[];
  let last: readonly Instruction[];
  before(async () => {
    stages = stagesOf(await readFile(join(root, "Dockerfile"), "utf8"));
    last = stages.at(-1) ?? [];
  });

  const only = (stage: readonly Instruction[], name: string) => {
    const found = stage.filter((instruction) => instruction.name === name);
    assert.equal(found.length, 1, name);
    return found[0]?.args ?? "";
  };
  const argument = (name: string) =>
    stages
      .flat()
      .find((instruction) => instruction.name === "ARG" && instruction.args.startsWith(`${name}=`))
      ?.args.slice(name.length + 1);

  it("takes the engine of the SDK's version and a Node of the repository's", async () => {
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    const node = (await readFile(join(root, ".node-version"), "utf8")).trim();
    assert.equal(argument("PULUMI_VERSION"), manifest.dependencies["@pulumi/pulumi"]);
    assert.equal(argument("NODE_VERSION"), node.split(".")[0]);
  });

  it("runs as a numbered user that is not root, who owns the data folder", () => {
    const user = only(last, "USER");
    assert.match(user, /^[1-9]\d*:[1-9]\d*$/);
    assert.ok(last.some(({ name, args }) => name === "RUN" && args.includes(`chown ${user} /data`)));
    assert.deepEqual(JSON.parse(only(last, "VOLUME")), ["/data", "/tmp"]);
    assert.ok(only(last, "ENV").includes("XDG_DATA_HOME=/data"));
  });

  it("starts serve behind a first process that reaps", () => {
    assert.deepEqual(JSON.parse(only(last, "ENTRYPOINT")), ["/usr/bin/tini", "--", "stackling"]);
    assert.deepEqual(JSON.parse(only(last, "CMD")).slice(0, 2), ["serve", "--config"]);
  });

  it("asks /healthz with a script that Node can read", async () => {
    const [, json = ""] = only(last, "HEALTHCHECK").split(" CMD ");
    const [node, flag, script] = JSON.parse(json) as string[];
    assert.deepEqual([node, flag], ["node", "-e"]);
    assert.match(script ?? "", /\/healthz/);
    const run = await execa(process.execPath, ["-e", script ?? ""], { env: { STACKLING_PORT: "1" }, reject: false });
    assert.equal(run.exitCode, 1);
  });

  it("copies only what exists and what .dockerignore lets through", async () => {
    const ignore = (await readFile(join(root, ".dockerignore"), "utf8")).split("\n");
    const context = stages.flat().filter(({ name, args }) => name === "COPY" && !args.startsWith("--from="));
    const sources = context.flatMap(({ args }) => args.split(" ").slice(0, -1)).filter((source) => source !== ".");
    for (const source of sources) {
      await readFile(join(root, source));
      assert.ok(
        ignore.includes(`!${source}`) || ignore.includes(`!${source.split("/")[0]}`),
        `.dockerignore leaves out ${source}`,
      );
    }
    const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { files: string[] };
    for (const file of files.filter((name) => name !== "dist" && !name.startsWith("!"))) {
      assert.ok(ignore.includes(`!${file.split("/")[0]}`), `.dockerignore leaves out ${file}`);
    }
  });

  it("builds an image that answers as a user who is not root", requires("builder"), async () => {
    const builder = builderPath() ?? "";
    const image = `stackling-test:${process.pid}`;
    await execa(builder, ["build", "--tag", image, "."], { cwd: root });
    try {
      const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
      assert.equal((await execa(builder, ["run", "--rm", image, "--version"])).stdout, version);
      const id = await execa(builder, ["run", "--rm", "--entrypoint", "id", image, "--user"]);
      assert.equal(id.stdout, only(last, "USER").split(":")[0]);
    } finally {
      await execa(builder, ["rmi", "--force", image]);
    }
  });

  it("has shell commands that a shell can read", async () => {
    for (const { name, args } of stages.flat()) {
      if (name === "RUN") await execa("sh", ["-n", "-c", args]);
    }
  });
});

describe("the installer of plugins", () => {
  let home: string;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "stackling-plugins-"));
  });
  after(() => rm(home, { recursive: true, force: true }));

  it("asks the engine for the plugin of every provider in its package's version", async () => {
    const engine = join(home, "pulumi");
    await writeFile(engine, `#!/bin/sh\necho "$@" >> ${home}/asked\n`);
    await chmod(engine, 0o755);
    const script = join(root, "scripts", "plugins.mjs");
    await execa(process.execPath, [script, engine, join(root, "node_modules", "@pulumi")]);
    const asked = (await readFile(join(home, "asked"), "utf8")).trim().split("\n");
    const { dependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    for (const name of ["aws", "cloudflare", "kubernetes"]) {
      assert.ok(asked.includes(`plugin install resource ${name} ${dependencies[`@pulumi/${name}`]}`), name);
    }
    const bridged = JSON.parse(await readFile(join(root, "node_modules/@pulumi/neon/package.json"), "utf8"));
    assert.ok(asked.includes(`plugin install resource ${bridged.pulumi.name} ${bridged.pulumi.version}`));
    assert.equal(asked.length, 4);
  });

  it("takes a plugin from the server that its package names", async () => {
    const engine = join(home, "pulumi-2");
    const packages = join(home, "packages");
    await writeFile(engine, `#!/bin/sh\necho "$@" >> ${home}/asked-2\n`);
    await chmod(engine, 0o755);
    const manifest = join(packages, "own", "package.json");
    await mkdir(dirname(manifest), { recursive: true });
    await writeFile(
      manifest,
      JSON.stringify({ pulumi: { resource: true, name: "own", version: "1.2.3", server: "https://acme.dev/x" } }),
    );
    await execa(process.execPath, [join(root, "scripts", "plugins.mjs"), engine, packages]);
    assert.equal(
      await readFile(join(home, "asked-2"), "utf8"),
      "plugin install resource own 1.2.3 --server https://acme.dev/x\n",
    );
  });
});
