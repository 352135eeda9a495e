/** A preview's part of a server that previews share; what is done there is between a kind's schema and its own file. */
import { isDeepStrictEqual } from "node:util";
import { isSamePlace } from "../backing-port.ts";
import type { BackingKind, Granted } from "./backing-kind.ts";
import { randomPassword } from "./database-password.ts";
import type { LocalResource } from "./resource.ts";

const kinds = {
  redis: async () => erase((await import("../redis/part.ts")).redisPart),
  kafka: async () => erase((await import("../kafka/part.ts")).kafkaPart),
  elasticsearch: async () => erase((await import("../elasticsearch/part.ts")).elasticsearchPart),
  meilisearch: async () => erase((await import("../meilisearch/part.ts")).meilisearchPart),
} as const;

export type BackingName = keyof typeof kinds;

export interface BackingInputs {
  readonly kind: BackingName;
  /** Of the kind's own schema; references to credentials, never themselves. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Names of those options that say where the server is: another one means another part, and the data goes. */
  readonly placedBy: readonly string[];
  readonly topics: readonly string[];
  /** Raised to have its login made anew. */
  readonly generation: number;
}

export interface BackingState extends BackingInputs, Granted {
  /** Secret. */
  readonly password: string;
}

/**
 * `stackling:local:Backing`. Its id is the stack's name. `create` finishes what an earlier, killed one began: the
 * login is made anew, and the state holds the only copy of its password.
 */
export const backingResource: LocalResource<BackingInputs, BackingState> = {
  type: "stackling:local:Backing",

  diff(state, inputs) {
    const stays = inputs.placedBy.every((name) => isSamePlace(state.options[name], inputs.options[name]));
    const moved = state.kind !== inputs.kind || !stays;
    const compared = ["options", "topics", "generation"] as const;
    const changes = moved || compared.some((name) => !isDeepStrictEqual(state[name], inputs[name]));
    return { changes, replaces: moved ? ["kind", "options"] : [] };
  },

  async create(context, inputs) {
    await context.admit();
    return { id: context.stack, state: await grant(context.stack, inputs, randomPassword()) };
  },

  async read({ stack }, _id, state) {
    const kind = await kinds[state.kind]();
    return (await kind.holds(state.options, stack)) ? state : undefined;
  },

  async update(context, _id, state, inputs) {
    await context.admit();
    const password = state.generation === inputs.generation ? state.password : randomPassword();
    return grant(context.stack, inputs, password);
  },

  async delete(context, _id, state) {
    await context.admit();
    const kind = await kinds[state.kind]();
    await kind.revoke(state.options, context.stack);
  },
};

async function grant(stack: string, inputs: BackingInputs, password: string): Promise<BackingState> {
  const kind = await kinds[inputs.kind]();
  const granted = await kind.grant(inputs.options, { stack, password, topics: inputs.topics });
  return { ...inputs, ...granted, password };
}

/** The options are parsed by the kind's own schema before they come here, so they fit by construction. */
function erase<O>(kind: BackingKind<O>): BackingKind<unknown> {
  return kind as BackingKind<unknown>;
}
