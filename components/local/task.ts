/** Migrations and seeds: run once for what they are about, and never again when that is unchanged. */
import { join } from "node:path";
import type { TaskDefinition } from "../ports.ts";
import { withoutOutage } from "./database-outage.ts";
import { baseEnvironment } from "./environment.ts";
import { inside, layout } from "./layout.ts";
import { nodeFolder } from "./node-runtime.ts";
import type { LocalResource } from "./resource.ts";
import { runCommand } from "./run-command.ts";
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
}

const TASK_TIMEOUT_MS = 15 * 60_000;

export const taskResource: LocalResource<TaskInputs, TaskInputs> = {
  type: "stackling:local:Task",
  diff: (state, inputs) =>
    state.key === inputs.key ? { changes: false, replaces: [] } : { changes: true, replaces: ["key"] },
  async create(context, inputs) {
    const { dataDir } = context.settings;
    const preview = layout(dataDir).preview(context.stack);
    const seed = inputs.task === "seed";
    await context.admit();
    const began = performance.now();
    context.log(seed ? "seeding the database" : "migrating the database");
    await runCommand({
      command: inputs.command,
      directory: inside(inputs.checkout, inputs.directory),
      environment: {
        ...inputs.environment,
        ...baseEnvironment({ stack: context.stack, preview, node: await nodeFolder(dataDir) }),
      },
      user: await allocateUser(dataDir, context.stack),
      logFile: preview.log(inputs.task),
      owner: join(preview.folder, inputs.task),
      timeoutMs: TASK_TIMEOUT_MS,
      signal: context.signal,
      reason: seed ? "SeedFailed" : "MigrationFailed",
      action: seed ? "seeding with" : "migrating with",
      secrets: inputs.secrets,
    }).catch(async (error: unknown) => {
      const { environment } = inputs;
      throw await withoutOutage(error, { environment, elapsedMs: performance.now() - began });
    });
    return { id: inputs.task, state: inputs };
  },
  // What it did lies in the database, whose identity is part of the key.
  read: async (_context, _id, state) => state,
  delete: async () => undefined,
};
