/** The store's tables as kysely sees them; `migrations.ts` makes them. */
import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from "kysely";
import type { AuditEntry } from "../audit.ts";
import type { RepositoryConfig } from "../config/repository-types.ts";
import type { DeploymentOutputTable, DeploymentTable } from "../deployments/tables.ts";
import type { AnnouncementHandles, PullRequest } from "../forges/forge.ts";
import type { HookDeliveryTable, ToldTable } from "../hooks/tables.ts";
import type { Intents } from "../intents.ts";
import type { PullRequestTable } from "../kpis/store.ts";
import type { BudgetTable } from "../money/budgets/store.ts";
import type { CostAboutTable, CostReadingTable, CostTable } from "../money/ledger.ts";
import type { Role } from "../roles.ts";
import type { PreviewStatus, Receipt } from "../status.ts";
import type { SweepReport } from "../sweep/report.ts";
import type { Sample } from "../trends/sample.ts";
import type { Pause } from "./operation.ts";

/** Read as `Date`, written as ISO 8601 text. */
type Time = ColumnType<Date, string, string>;
type OptionalTime = ColumnType<Date | null, string | null | undefined, string | null>;

export interface PreviewTable {
  key: string;
  stack: string;
  repository: string;
  number: number | null;
  git_branch: string;
  created_at: Time;
  last_push_at: Time;
  last_visit_at: OptionalTime;
  due_at: OptionalTime;
  gone_at: OptionalTime;
  intents: JSONColumnType<Intents>;
  status: JSONColumnType<PreviewStatus>;
  pull_request: JSONColumnType<PullRequest> | null;
  handles: JSONColumnType<AnnouncementHandles>;
  revision: number;
  /** Awake with a version that answered; kept by Postgres. */
  serves: GeneratedAlways<boolean>;
}

export interface Tables {
  told: ToldTable;
  hook_delivery: HookDeliveryTable;
  preview: PreviewTable;
  delivery: { forge: string; delivery_id: string; event: string; key: string | null; at: Generated<Date> };
  lease: { stack: string; holder: string; fence: string; expires_at: Date };
  engine_run: {
    id: Generated<string>;
    stack: string;
    host: string;
    pid: number;
    start_time: string;
    at: Generated<Date>;
  };
  /** One that is being built or woken (granted), or waits for room to be. */
  seat: { key: string; since: Time; granted_at: OptionalTime };
  claim: { job_id: string; key: string; holder: string };
  history: { id: Generated<string>; key: string; at: Time; reason: string; message: string; head_sha: string | null };
  receipt: { id: Generated<string>; key: string; at: Time; body: JSONColumnType<Receipt> };
  counter: { name: string; value: string };
  /** Sealed; see `forge-credentials.ts`. */
  forge_credential: { forge: string; sealed: string; at: Generated<Date> };
  redelivery: { forge: string; delivery_id: string; at: Generated<Date> };
  repository_identity: { name: string; forge: string; id: string; at: Generated<Date> };
  repository: { name: string; path: string; body: JSONColumnType<RepositoryConfig> };
  setting: { name: string; body: JSONColumnType<Pause> };
  audit: {
    id: Generated<string>;
    at: Time;
    actor: string;
    action: string;
    key: string | null;
    detail: string | null;
    via: AuditEntry["via"];
    address: string | null;
    outcome: AuditEntry["outcome"];
  };
  token: {
    id: Generated<string>;
    name: string;
    digest: string;
    role: Role;
    repositories: JSONColumnType<readonly string[]> | null;
    created_at: Time;
    created_by: string;
    expires_at: OptionalTime;
    last_used_at: OptionalTime;
  };
  deployment: DeploymentTable;
  deployment_output: DeploymentOutputTable;
  sweep: { id: Generated<string>; at: Time; body: JSONColumnType<SweepReport> };
  budget: BudgetTable;
  cost: CostTable;
  cost_about: CostAboutTable;
  cost_reading: CostReadingTable;
  pull_request: PullRequestTable;
  trend: { hour: Time; body: JSONColumnType<Sample> };
}
