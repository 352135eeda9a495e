/** What a preview's branch is made of. */
import type { MaskingRule } from "@neondatabase/api-client";
import { TerminalError } from "../errors.ts";
import type { DatabaseArgs } from "../ports.ts";
import type { NeonOptions } from "./options.ts";

/** What a new branch brings from a baseline. */
export interface Inherited {
  readonly database: string;
  readonly role: string;
}

export interface Masked {
  /** Name of the branch it is made of. */
  readonly parent: string;
  readonly rules: readonly MaskingRule[];
  readonly inherits: Inherited;
}

export interface Parent {
  readonly branch: string;
  readonly inherits?: Inherited;
  readonly masked?: Masked;
}

/** Throws `TerminalError` (`SpecInvalid`) for a baseline that is not there. Pure. */
export function parentOf({ stack, baseline, options: { parent, baselines } }: DatabaseArgs<NeonOptions>): Parent {
  if (baseline === undefined) return { branch: parent };
  const found = Object.hasOwn(baselines, baseline) ? baselines[baseline] : undefined;
  if (!found) {
    throw new TerminalError({
      reason: "SpecInvalid",
      userMessage: `creating the database branch of "${stack}": baseline "${baseline}" does not exist; name it among the database's "baselines"`,
    });
  }
  const { branch, database, role, masking } = found;
  const inherits = { database, role };
  if (!masking) return { branch, inherits };
  const rules = masking.map(({ schema, table, column, function: call, value }) => ({
    database_name: database,
    schema_name: schema,
    table_name: table,
    column_name: column,
    ...(call !== undefined && { masking_function: call }),
    ...(value !== undefined && { masking_value: value }),
  }));
  return { branch, inherits, masked: { parent: branch, rules, inherits } };
}
