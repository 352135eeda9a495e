/**
 * The service in a process of its own, so that a test can kill or freeze it. Told by one JSON argument;
 * prints one JSON line when it listens, one for each step when asked to, and dies at `killAt`.
 */
import { parseOperator } from "../../../service/config/operator.ts";
import { startEmbedded } from "../../../service/embedded/embedded.ts";
import { heldMemory } from "./held-memory.ts";
import type { ServiceSettings, Wish } from "./instance.ts";

const settings = JSON.parse(process.argv[2] ?? "") as ServiceSettings;
const { dataDir, port } = settings;
let { killAt } = settings;
let hits = 0;
process.on("message", (wish: Wish) => {
  if (wish === "memory") return void heldMemory().then((held) => process.send?.(held));
  killAt = wish;
  hits = 0;
  process.send?.("armed");
});

const instance = await startEmbedded({
  dataDir,
  place: { host: "127.0.0.1", port },
  version: "test",
  ...(settings.moneyEveryMs === undefined ? {} : { moneyEveryMs: settings.moneyEveryMs }),
  ...(settings.runnerLimits ? { runnerLimits: settings.runnerLimits } : {}),
  config: () => parseOperator(settings.config, { file: "stackling.yaml", directory: dataDir, dataDir }),
  onError: (line) => console.error(line),
  onStep: (step, key) => {
    console.log(JSON.stringify({ step, key }));
    if (killAt?.step === step && killAt.key === key && ++hits === killAt.occurrence)
      process.kill(process.pid, "SIGKILL");
  },
});
console.log(JSON.stringify({ url: instance.url, token: instance.token }));
const stop = () => void instance.stop().then(() => process.exit(0));
process.on("SIGTERM", stop);
// A test that was ended itself leaves nothing running.
process.on("disconnect", stop);
