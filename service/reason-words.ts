import type { Reason } from "./reasons.ts";

/** Sign and end of the sentence "Preview of shop#42 …"; complete over the reasons by its type. */
const WORDS: Readonly<Record<Reason, readonly [sign: string, words: string]>> = {
  Queued: ["⏳", "is waiting for its turn"],
  Provisioning: ["🔨", "is being built"],
  Updating: ["🔨", "is being updated"],
  Checking: ["🔎", "is being checked"],
  Healthy: ["✅", "is ready"],
  Asleep: ["💤", "is asleep"],
  Waking: ["⏳", "is waking up"],
  Paused: ["⏸️", "is paused, as all previews are"],
  Destroying: ["🧹", "is being removed"],
  Gone: ["⚪", "is gone"],
  Unreachable: ["📡", "cannot be looked at just now"],
  NotConfigured: ["⚪", "is not configured any more"],
  Blocked: ["🔒", "is not built"],
  ApprovalNeeded: ["🔒", "waits for an approval"],
  OverBudget: ["💸", "is held back by a budget"],
  NothingPromoted: ["⚪", "waits for its first promotion"],
  SpecInvalid: ["❌", "has an invalid `preview.yaml`"],
  WaitingForImage: ["⏳", "waits for its image"],
  ImageNotFound: ["❌", "failed: its image was not pushed"],
  ImageUnsigned: ["❌", "failed: its image is not signed as it must be"],
  TargetChanged: ["🔒", "stays where it is: its target changed"],
  CheckoutFailed: ["❌", "failed: the commit could not be checked out"],
  InstallFailed: ["❌", "failed while installing"],
  BuildFailed: ["❌", "failed while building"],
  MigrationFailed: ["❌", "failed while migrating the database"],
  SeedFailed: ["❌", "failed while seeding the database"],
  StartFailed: ["❌", "failed: a service did not start"],
  PortNotOpen: ["❌", "failed: a service did not open its port"],
  HealthCheckFailed: ["❌", "failed its health check"],
  SmokeTestFailed: ["❌", "failed a smoke test"],
  GateFailed: ["❌", "failed a gate"],
  DatabaseFailed: ["❌", "failed: no database"],
  ImagePullFailed: ["❌", "failed: its image cannot be pulled"],
  QuotaExceeded: ["❌", "failed: its quota is full"],
  Unschedulable: ["❌", "failed: no machine has room for it"],
  CapacityUnavailable: ["❌", "failed: no capacity is to be had just now"],
  TargetUnreachable: ["📡", "waits for its target, which does not answer"],
  TargetForbidden: ["🔒", "is not built: the target does not allow it"],
  KubernetesFailed: ["❌", "failed: Kubernetes answered with an error"],
  AwsFailed: ["❌", "failed: AWS answered with an error"],
  TargetInvalid: ["❌", "is not built: its target is not set up right"],
  NameTaken: ["🔒", "is not built: its name is taken by something else"],
  SecretMissing: ["🔑", "is not built: a secret is not where it should be"],
  NamespaceTerminating: ["⏳", "waits until its last life is gone"],
  CertificateMissing: ["❌", "failed: its certificate is missing"],
  EdgeNotReady: ["❌", "failed: it has no public address"],
  StackLocked: ["🔒", "waits for somebody else's `pulumi` run"],
  Locked: ["⏳", "waits for another process on its machine"],
  FenceLost: ["⏳", "goes on with a later run, which overtook this one"],
  EngineFailed: ["❌", "failed in the engine"],
  EngineTimedOut: ["❌", "failed: the engine took too long"],
  EngineInterrupted: ["⏳", "was broken off and is tried again"],
  PluginMissing: ["📡", "waits for a plugin of the engine"],
  PolicyViolation: ["🔒", "is not built: a policy forbids it"],
  ProgramInvalid: ["❌", "failed in the operator's own program"],
  DestroyFailed: ["❌", "could not be removed yet"],
  StoreUnavailable: ["📡", "waits for Stackling's database, which does not answer"],
  BackendUnavailable: ["📡", "waits for the state backend, which does not answer"],
  DiskFull: ["💾", "waits for room on the service's disk"],
  DiskReadOnly: ["💾", "waits for the service's disk, which cannot be written"],
  RefNotFound: ["❌", "failed: the git branch is not there"],
  RepositoryReplaced: ["🔒", "stands still: another repository is in the place of its own"],
};

/** How a reason is said to people; a reason of a later version is named as it is. */
export function reasonWords(reason: string): { readonly sign: string; readonly words: string } {
  const found = reason in WORDS ? WORDS[reason as Reason] : undefined;
  return found ? { sign: found[0], words: found[1] } : { sign: "ℹ️", words: `is ${reason}` };
}

/** `2026-01-31 09:05 UTC` */
export function minuteOf(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
