/**
 * One replica of the service in a process of its own, so that it can be frozen. Told by one JSON argument;
 * prints one JSON line when it listens and one for each step; stops itself (SIGSTOP) at the step it is told.
 */
import pino from "pino";
import type { RunnerLimits } from "../../infra/runner.ts";
import { parseOperator } from "../../service/config/operator.ts";
import type { Step } from "../../service/reconcile.ts";
import { startService } from "../../service/service.ts";

export interface ReplicaSettings {
  /** Names its leases. */
  readonly name: string;
  /** Shared by all replicas: the disk on which previews and state lie. */
  readonly dataDir: string;
  /** Postgres URL of the one store. */
  readonly storeUrl: string;
  /** See `RunnerLimits`; those of production by default. */
  readonly runnerLimits?: Partial<RunnerLimits>;
  /** Admin URL of the previews' databases. */
  readonly adminUrl: string;
  readonly token: string;
  /** Text of its `stackling.yaml`. */
  readonly config: string;
  /** File of its log. */
  readonly log: string;
}

const { name, dataDir, log, config, ...rest } = JSON.parse(process.argv[2] ?? "") as ReplicaSettings;
let freezeAt: { readonly step: Step; readonly key: string } | undefined;
process.on("message", (wish: { readonly step: Step; readonly key: string }) => {
  freezeAt = wish;
  process.send?.("armed");
});

const service = await startService({
  ...rest,
  dataDir,
  config: await parseOperator(config, { file: "stackling.yaml", directory: dataDir, dataDir }),
  instanceId: name,
  logger: pino(
    { base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: log, sync: true }),
  ),
  version: "chaos",
  onStep: (step, key) => {
    console.log(JSON.stringify({ step, key }));
    if (freezeAt?.step !== step || freezeAt.key !== key) return;
    freezeAt = undefined;
    process.kill(process.pid, "SIGSTOP");
  },
});
console.log(JSON.stringify({ url: service.url }));
// The previews are the other replicas' too.
const stop = () => void service.close({ endServices: false }).then(() => process.exit(0));
process.on("SIGTERM", stop);
// Whoever ends the world in the middle leaves nothing running.
process.on("disconnect", stop);
