/** A whole service on a target that runs images, up to where a cluster would be needed. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { requires } from "../support/requires.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";

const BOT = { username: "bot", password: "s3cret" };

describe("an application whose images CI builds", requires("engine", "postgres"), () => {
  let registry: TestRegistry;
  let repository: TestRepository;
  let instance: Instance;
  let commit: string;

  before(async () => {
    registry = await startRegistry({ auth: "token", user: BOT });
    const image = `${registry.host}/acme/app:{sha}`;
    repository = await createRepository({ files: { "preview.yaml": `services: {web: {image: "${image}"}}\n` } });
    instance = await prepareInstance({
      environment: { REGISTRY_PASSWORD: BOT.password },
      config: (port) =>
        [
          `port: ${port}`,
          `images: {credentials: {"${registry.host}": {username: bot, password: {env: REGISTRY_PASSWORD}}}}`,
          `repositories: [{path: ${repository.path}, name: app}]`,
          "targets:",
          `  cloud: {service: {driver: kubernetes, kubeconfig: {file: ${join(repository.path, "kubeconfig")}}}, database: false}`,
          "lifecycle: {resync: 2s}",
          "",
        ].join("\n"),
    });
    await writeFile(join(repository.path, "kubeconfig"), "apiVersion: v1\nkind: Config\n");
    await instance.start();
    commit = await repository.commit("change-1", { "text.txt": "one" });
  });
  after(async () => {
    await instance.remove();
    await Promise.all([repository.remove(), registry.close()]);
  });

  it("says for which image it waits, on its page too", async () => {
    const { url, message } = await instance.waitFor("app#1", (p) => p.reason === "WaitingForImage", "waiting");
    assert.equal(url, undefined);
    assert.match(message, new RegExp(`^Waiting for image "${registry.host}/acme/app:${commit}", since`));
    const page = await instance.get(`http://pr-1-app.localhost:${instance.port}`);
    assert.equal(page.status, 503);
    assert.match(page.text, /Waiting for image/);
  });

  it("goes on as soon as the image is there", async () => {
    registry.push("acme/app", commit);
    const waiting = (p: { reason: string }) => p.reason === "WaitingForImage" || p.reason === "Queued";
    await instance.waitFor("app#1", (p) => !waiting(p), "an update");
    assert.ok(registry.headers.some(({ authorization }) => authorization?.startsWith("Bearer ")));
  });

  it("is gone without a trace when it is closed before its image was there", async () => {
    await repository.commit("change-2", { "text.txt": "two" });
    const { key } = await instance.waitForBranch("change-2", (p) => p.reason === "WaitingForImage", "waiting");
    await repository.deleteBranch("change-2");
    const { stage } = await instance.waitFor(key, (p) => p.reason === "Gone", "gone");
    assert.equal(stage, "Gone");
  });
});
