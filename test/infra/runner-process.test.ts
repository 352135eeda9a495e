import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { startRunnerProcess } from "../../infra/runner-process.ts";

const nodePath = process.execPath;
afterEach(() => Object.defineProperty(process, "execPath", { value: nodePath }));

/** As when the machine is out of processes: from the given start on, none can be made. */
function failFrom(start: number): void {
  let starts = 0;
  Object.defineProperty(process, "execPath", {
    configurable: true,
    get: () => (starts++ < start ? nodePath : "/nonexistent/node"),
  });
}

function start() {
  const settings = {
    driver: {
      engine: "/nonexistent/pulumi",
      backendUrl: "file:///nonexistent",
      passphraseFile: "/nonexistent",
      pulumiHome: "/nonexistent",
      runsFolder: "/nonexistent",
      environment: {},
      limits: { runMs: 1000, silenceMs: 1000, killMs: 1000 },
    },
    provider: { dataDir: "/nonexistent" },
    modules: {
      registry: new URL("./world/registry.ts", import.meta.url).href,
      provider: new URL("./world/provider.ts", import.meta.url).href,
    },
  };
  return startRunnerProcess({ settings, environment: {}, watchdogMs: 1000, onStderr: () => {} });
}

describe("a runner's process", () => {
  it("that cannot be made is an error of its caller, and not the end of the service", async () => {
    failFrom(0);
    await assert.rejects(start(), { reason: "EngineFailed" });
    await nextTurn();
  });

  it("ends when it can have no watchdog", async () => {
    failFrom(1);
    await assert.rejects(start(), { reason: "EngineFailed" });
    await nextTurn();
  });
});
