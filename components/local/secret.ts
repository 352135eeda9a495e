import { randomBytes } from "node:crypto";
import type { LocalResource } from "./resource.ts";

/** 256 bits: beyond guessing whatever the value is used for. */
const BYTES = 32;

export interface SecretInputs {
  /** Raised to have the value made anew. */
  readonly generation: number;
}

export interface SecretState extends SecretInputs {
  /** Secret. 43 characters of `[A-Za-z0-9_-]`. */
  readonly value: string;
}

/** `stackling:local:Secret`: a random value that lives in the stack's encrypted state and nowhere else. */
export const secretResource: LocalResource<SecretInputs, SecretState> = {
  type: "stackling:local:Secret",

  diff(state, inputs) {
    const changes = state.generation !== inputs.generation;
    return { changes, replaces: changes ? ["generation"] : [] };
  },

  async create(_context, inputs, name) {
    return { id: name, state: { ...inputs, value: randomBytes(BYTES).toString("base64url") } };
  },

  async read(_context, _id, state) {
    return state;
  },

  async delete() {
    // The state was its only place.
  },
};
