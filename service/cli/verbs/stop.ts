import { setTimeout as pause } from "node:timers/promises";
import { StacklingError } from "../../../components/errors.ts";
import { isRunning, readInstance } from "../../embedded/instance.ts";
import { counted, serversOf, stopLeftovers, whatRuns } from "../../embedded/leftovers.ts";
import { dataDirOf } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

const STOP_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

export const stop: RunVerb = async ({ options, context }) => {
  const dataDir = dataDirOf(options, context);
  const instance = await readInstance(dataDir);
  const say = (stopped: string, text: string, ended: readonly string[] = []) => {
    if (options.json) printJson(context.stdout, { data: dataDir, stopped, ended });
    else printLine(context.stdout, text);
    return 0;
  };
  if (!instance) return say("nothing", `there is no instance in "${dataDir}"`);
  const { pid } = instance;
  if (pid !== undefined && (await isRunning(instance))) {
    const { previews, services } = await whatRuns(dataDir);
    const servers = await serversOf(dataDir);
    process.kill(pid, "SIGTERM");
    const deadline = performance.now() + STOP_WITHIN_MS;
    while (await isRunning(instance)) {
      if (performance.now() > deadline) {
        throw new StacklingError({
          reason: "TimedOut",
          userMessage: `stopping process ${pid}: after ${STOP_WITHIN_MS / 1000} s it still runs`,
        });
      }
      await pause(LOOK_EVERY_MS);
    }
    const ended = [`process ${pid}`, counted(services, "service"), ...inWords(servers)];
    const back = previews > 0 ? `; the next start brings ${counted(previews, "preview")} back` : "";
    return say("service", `stopped the service on "${dataDir}": ${ended.join(", ")}${back}`, ended);
  }
  const ended = await stopLeftovers(dataDir);
  if (ended.length === 0) return say("nothing", `no service is running on "${dataDir}"`);
  return say("leftovers", `ended what a crashed service left on "${dataDir}": ${ended.join(", ")}`, ended);
};

/** None where the operator's own serve both store and previews. */
function inWords(servers: readonly string[]): readonly string[] {
  if (servers.length > 1) return ["both Postgres servers"];
  return servers.map((name) => `the Postgres server "${name}"`);
}
