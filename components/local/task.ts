/** Migrations and seeds: run once for what they are about, and never again when that is unchanged. */
import { join } from "node:path";
import { TerminalError } from "../errors.ts";
import type { TaskDefinition } from "../ports.ts";
import { type TaskOutput, withTaskFailure } from "../service/task-failure.ts";
import { taskWords } from "../service/tasks.ts";
import { withoutOutage } from "./database-outage.ts";
import { egressEnvironment } from "./egress-access.ts";
import { baseEnvironment } from "./environment.ts";
import { rememberSecrets } from "./known-secrets.ts";
import { inside, layout } from "./layout.ts";
import { readFrom, rotateLog, sizeOf } from "./log-file.ts";
import { nodeFolder } from "./node-runtime.ts";
import type { LocalResource } from "./resource.ts";
import { runCommand } from "./run-command.ts";
import { noteRefusals } from "./server-log.ts";
import { allocateUser } from "./users.ts";

export interface TaskInputs {
  readonly task: TaskDefinition["name"];
  readonly command: string;
  /** Absolute path of the checkout. */
  readonly checkout: string;
  readonly directory: string;
  /** Secret; references resolved. */
  readonly environment: Readonly<Record<string, string>>;
  /** Values in `environment` that must not show in messages. Secret. */
  readonly secrets: readonly string[];
  /**
   * What the task was run for. A migration belongs to database, commit and generation; a seed to
   * database and generation, so that a push does not undo what people typed in.
   */
  readonly key: string;
  /** Absent: as long as a migration may. */
  readonly timeoutSeconds?: number;
}

const TASK_TIMEOUT_MS = 15 * 60_000;
/** Of what it printed: the cause stands near the end, behind it no more than a stack. */
const OUTPUT_BYTES = 64 * 1024;

export const taskResource: LocalResource<TaskInputs, TaskInputs> = {
  type: "stackling:local:Task",
  diff: (state, inputs) =>
    state.key === inputs.key ? { changes: false, replaces: [] } : { changes: true, replaces: ["key"] },
  async create(context, inputs) {
    const { dataDir } = context.settings;
    const preview = layout(dataDir).preview(context.stack);
    const words = taskWords(inputs.task);
    const logFile = preview.log(inputs.task);
    await context.admit();
    const began = performance.now();
    const from = await sizeOf(logFile);
    await rememberSecrets(dataDir, context.stack, inputs.secrets);
    context.log(words.doing);
    const egress = await egressEnvironment(dataDir, context.stack);
    const secrets = [...inputs.secrets, ...egress.secrets];
    const { output } = context;
    const refusals = await noteRefusals(dataDir, inputs.environment.DATABASE_URL);
    try {
      await runCommand({
        command: inputs.command,
        directory: inside(inputs.checkout, inputs.directory),
        environment: {
          ...inputs.environment,
          ...baseEnvironment({ stack: context.stack, preview, node: await nodeFolder(dataDir) }),
          ...egress.variables,
        },
        user: await allocateUser(dataDir, context.stack),
        logFile,
        owner: join(preview.folder, inputs.task),
        account: { dataDir, stack: context.stack, resource: inputs.task },
        timeoutMs: inputs.timeoutSeconds === undefined ? TASK_TIMEOUT_MS : inputs.timeoutSeconds * 1000,
        signal: context.signal,
        reason: words.reason,
        action: words.with,
        secrets,
        onLines: output && ((lines) => output(inputs.task, lines)),
      });
    } catch (error) {
      const { environment, checkout: root } = inputs;
      const printed = await readFrom(logFile, from, OUTPUT_BYTES);
      const failure = named(error, { output: printed, logged: await refusals.read(), root, secrets });
      throw await withoutOutage(failure, { environment, elapsedMs: performance.now() - began });
    } finally {
      await refusals.stop();
      // The next run's would come on top of it. What cannot be cut now is cut by the next.
      await rotateLog(logFile).catch(() => undefined);
    }
    return { id: inputs.task, state: inputs };
  },
  // What it did lies in the database, whose identity is part of the key.
  read: async (_context, _id, state) => state,
  delete: async () => undefined,
};

/** With where it failed and what for. */
function named(error: unknown, told: TaskOutput): unknown {
  if (!(error instanceof TerminalError)) return error;
  const { reason, excerpt } = error;
  const userMessage = withTaskFailure(error.userMessage, reason, told);
  return new TerminalError({ reason, userMessage, excerpt, cause: error });
}
