/** The record of a preview that the store does not know: a new one, or one whose record was lost. */
import { parseKey, stackName } from "../infra/names.ts";
import { previewSpec, specDigest } from "../infra/spec.ts";
import type { Stacks } from "../infra/stacks.ts";
import { NO_INTENTS } from "./intents.ts";
import { newStatus, type Preview } from "./status.ts";

export type NewPreview = Omit<Preview, "revision">;

export interface AdoptDeps {
  readonly stacks: Pick<Stacks, "outputs">;
}

/**
 * What is to be written for a key that the store does not know. When the backend has its stack, the
 * store was lost: wishes and spec are read back from the stack's outputs, as the last update left them,
 * and all clocks start now, the hard stop's too, for nobody knows any more whether it was kept or extended
 * since. Undefined when the text is no key.
 */
export async function adopt({ stacks }: AdoptDeps, key: string, now: string): Promise<NewPreview | undefined> {
  const parsed = parseKey(key);
  if (!parsed) return undefined;
  const fresh: NewPreview = {
    key,
    stack: stackName(parsed),
    repository: parsed.repository,
    ...("number" in parsed ? { number: parsed.number } : {}),
    gitBranch: "gitBranch" in parsed ? parsed.gitBranch : "",
    createdAt: now,
    lastPushAt: now,
    intents: {
      ...NO_INTENTS,
      ...("gitBranch" in parsed ? { gitRef: parsed.gitBranch } : {}),
      ...("number" in parsed ? { commands: { since: wholeSecond(now) } } : {}),
    },
    status: newStatus(now),
    handles: {},
  };
  const outputs = await stacks.outputs(fresh.stack);
  return outputs ? rebuild(fresh, outputs) : fresh;
}

function rebuild(fresh: NewPreview, outputs: Readonly<Record<string, unknown>>): NewPreview {
  const { data: spec } = previewSpec.safeParse(outputs.spec);
  const status = { ...fresh.status, stackExists: true, outputs, interrupted: true };
  if (!spec) return { ...fresh, status };
  return {
    ...fresh,
    gitBranch: spec.gitBranch,
    createdAt: spec.tags.created ?? fresh.createdAt,
    intents: { ...fresh.intents, ...spec.intents, generations: spec.generations, clocksFrom: fresh.lastPushAt },
    status: {
      ...status,
      interrupted: false,
      live: spec,
      // Not known. Waking what is awake does nothing; taken for awake, one that sleeps would answer nobody.
      awake: false,
      attempted: { digest: specDigest(spec), ok: true, terminal: false, failures: 0, at: fresh.lastPushAt },
    },
  };
}

/** Forges give the times of comments in whole seconds. */
function wholeSecond(time: string): string {
  return `${time.slice(0, 19)}.000Z`;
}
