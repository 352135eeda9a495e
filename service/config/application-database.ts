/** The database that an application asks for. */
import type { BuildStep } from "../../components/ports.ts";

export interface ApplicationDatabase {
  /** One of the repository's baselines; undefined: its own. */
  readonly from?: string;
  /** `reset`: made anew, migrated and seeded for every commit; undefined: kept. */
  readonly onPush?: "reset";
  readonly migrate?: BuildStep;
  /** Where there are no scenarios. */
  readonly seed?: BuildStep;
  /** By name; null: nothing is run. */
  readonly scenarios?: Readonly<Record<string, BuildStep | null>>;
  /** That of a new preview; undefined: the first. */
  readonly scenario?: string;
}
