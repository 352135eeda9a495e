/** CamelCase, as in Kubernetes. Listed so that page, comment and metrics can be complete over them. */
export const REASONS = [
  "Queued",
  "Provisioning",
  "Updating",
  "Checking",
  "Healthy",
  "Asleep",
  "Waking",
  "Paused",
  "Destroying",
  "Gone",
  "Unreachable",
  "NotConfigured",
  "Blocked",
  "ApprovalNeeded",
  "OverBudget",
  "NothingPromoted",
  "SpecInvalid",
  "WaitingForImage",
  "ImageNotFound",
  "ImageUnsigned",
  "TargetChanged",
  "CheckoutFailed",
  "InstallFailed",
  "BuildFailed",
  "MigrationFailed",
  "SeedFailed",
  "StartFailed",
  "PortNotOpen",
  "HealthCheckFailed",
  "SmokeTestFailed",
  "GateFailed",
  "DatabaseFailed",
  "ImagePullFailed",
  "QuotaExceeded",
  "Unschedulable",
  "CapacityUnavailable",
  "TargetUnreachable",
  "TargetForbidden",
  "KubernetesFailed",
  "AwsFailed",
  "TargetInvalid",
  "NameTaken",
  "SecretMissing",
  "NamespaceTerminating",
  "CertificateMissing",
  "EdgeNotReady",
  "StackLocked",
  "Locked",
  "FenceLost",
  "EngineFailed",
  "EngineTimedOut",
  "EngineInterrupted",
  "PluginMissing",
  "PolicyViolation",
  "ProgramInvalid",
  "DestroyFailed",
  "StoreUnavailable",
  "BackendUnavailable",
  "DiskFull",
  "DiskReadOnly",
  "RefNotFound",
  "RepositoryReplaced",
] as const;

export type Reason = (typeof REASONS)[number];

// Sets of strings, for a record may bear a reason of another version.

/** Nothing is brought up before everything is resumed, or a budget is lifted, however long one waits. */
export const STOPPED: ReadonlySet<string> = new Set<Reason>(["Paused", "OverBudget"]);

/** What there is of it does not run, and nothing is wrong. */
export const AT_REST: ReadonlySet<string> = new Set<Reason>(["Asleep", "Paused", "OverBudget"]);

/** By a rule, a budget or for want of an approval: a person moves it on, and the commit is not at fault. */
export const HELD_BACK: ReadonlySet<string> = new Set<Reason>(["Blocked", "ApprovalNeeded", "OverBudget"]);
