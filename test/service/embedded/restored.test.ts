import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { writeJson } from "../../../components/local/json-file.ts";
import { filesOf, type Launch, writeState } from "../../../components/local/release-files.ts";
import { servicesRestored } from "../../../service/embedded/restored.ts";

describe("the services that were awake before", () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "stackling-restored-"));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  async function release(port: number): Promise<void> {
    const launch: Launch = {
      stack: "shop-pr-1",
      service: "web",
      kind: "web",
      release: "web-00000000",
      instance: "one",
      directory: dataDir,
      command: "true",
      sidecars: [],
      environment: {},
      secrets: [],
      port,
      startTimeoutSeconds: 1,
      order: 0,
      memoryMiB: 64,
      cpu: 1,
    };
    const made = { dataDir, launch };
    await mkdir(filesOf(made).folder, { recursive: true });
    await writeJson(filesOf(made).launch, launch);
    const startedAt = "2026-03-01T12:00:00.000Z";
    await writeState(made, { phase: "ready", desired: "running", processes: {}, restarts: 0, startedAt });
  }

  it("are not waited for when there are none, or all of them answer", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const words: string[] = [];
      await servicesRestored(dataDir, () => words.push("waiting"));
      await release((server.address() as AddressInfo).port);
      await servicesRestored(dataDir, () => words.push("waiting"));
      assert.deepEqual(words, []);
    } finally {
      server.close();
    }
  });

  it("are waited for until they answer", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    await release(port);
    const later = createServer();
    try {
      const words: string[] = [];
      await servicesRestored(dataDir, () => {
        if (words.push("waiting") === 1) later.listen(port, "127.0.0.1");
      });
      assert.ok(words.length > 0);
    } finally {
      later.close();
    }
  });
});
