/** The control plane that the other files rely on. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { eventually } from "../support/eventually.ts";
import { startKubelab } from "../support/kubernetes/kubelab.ts";
import { requires } from "../support/requires.ts";

describe("kubelab", requires("kubernetes"), () => {
  it("ends when it is told to, and leaves no file", async () => {
    const { pid, kubeconfig, stop } = await startKubelab();
    process.kill(pid, "SIGTERM");
    await eventually(() => !existsSync(`/proc/${pid}`) && !existsSync(dirname(kubeconfig)));
    await stop();
  });

  it("ends when what started it is killed, and leaves no file", async () => {
    const module = new URL("../support/kubernetes/kubelab.ts", import.meta.url).href;
    const program = `const { startKubelab } = await import("${module}"); console.log(JSON.stringify(await startKubelab()));`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(createInterface({ input: parent.stdout }), "line");
    const { pid, kubeconfig } = JSON.parse(line) as { pid: number; kubeconfig: string };
    assert.ok(existsSync(`/proc/${pid}`) && existsSync(kubeconfig));
    parent.kill("SIGKILL");
    await eventually(() => !existsSync(`/proc/${pid}`) && !existsSync(dirname(kubeconfig)));
  });
});
