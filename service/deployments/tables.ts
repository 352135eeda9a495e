import type { ColumnType, GeneratedAlways, JSONColumnType } from "kysely";
import type { DeployLine, Deployment, DeployStep } from "./deployment.ts";

/** Read as `Date`, written as ISO 8601 text. */
type Time = ColumnType<Date, string, string>;

export interface DeploymentTable {
  id: GeneratedAlways<string>;
  key: string;
  kind: Deployment["kind"];
  commit_sha: string | null;
  cause: string;
  at: Time;
  ended_at: ColumnType<Date | null, string | null | undefined, string | null>;
  outcome: Deployment["outcome"];
  reason: string | null;
  message: string | null;
  steps: JSONColumnType<readonly DeployStep[]>;
  lines: number;
}

export interface DeploymentOutputTable {
  deployment: string;
  /** Numbers of the first and the last line. */
  first: number;
  last: number;
  lines: JSONColumnType<readonly DeployLine[]>;
}
