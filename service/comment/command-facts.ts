/** What people can say and run about a preview. Pure. */
import { isStage } from "../../infra/names.ts";
import { COMMANDS } from "../commands/verbs.ts";
import type { Preview } from "../status.ts";

export interface CommandFact {
  readonly code: string;
  readonly does: string;
}

const LOOKING = [
  ["show", "everything that is known of it"],
  ["logs", "what its services say"],
  ["open", "opens it in the browser"],
] as const;
const ACTING = [
  ["redeploy", "builds the newest commit again"],
  ["down", "takes it down until the next push"],
] as const;

export function commandsOf(
  { key, status }: Preview,
  inComments: boolean,
): {
  readonly inComments: readonly CommandFact[];
  readonly byCli: readonly CommandFact[];
} {
  if (status.reason === "Gone" && !inComments) return { inComments: [], byCli: [] };
  const slash = Object.values(COMMANDS).map(([usage, does]) => ({ code: `/preview ${usage}`, does }));
  // A stage is taken down by a confirmed word alone, with its database.
  const acting = inComments ? [] : ACTING.filter(([verb]) => verb !== "down" || !isStage(key));
  const verbs = [...LOOKING, ...acting];
  return {
    inComments: inComments ? slash : [],
    byCli: verbs.map(([verb, does]) => ({ code: `stackling ${verb} '${key}'`, does })),
  };
}

/** Where the forge has pages of its own people comment there; on one that is closed only a question is answered. */
export function takesCommands({ pullRequest, intents }: Preview): boolean {
  if (pullRequest?.url === undefined) return false;
  return pullRequest.state === "open" || intents.commands?.answers !== undefined;
}
