/** When each stage of a deployment began and ended, out of what is told. Several may go on at once. */
import { type DeployStage, type DeployStep, STAGES } from "./deployment.ts";

interface Step {
  at: string;
  endedAt?: string;
  failed?: true;
  /** Resources of it that are being made. */
  open: number;
}

/** What the checkout is while it lasts, one after the other. */
const CHECKOUT: readonly DeployStage[] = ["source", "install", "build"];

export function createSteps() {
  const steps = new Map<DeployStage, Step>();
  const end = (stage: DeployStage, at: string) => {
    const step = steps.get(stage);
    if (step && step.endedAt === undefined) step.endedAt = at;
  };
  const begin = (stage: DeployStage, at: string): Step => {
    const known = steps.get(stage);
    if (known) {
      delete known.endedAt;
      return known;
    }
    const step = { at, open: 0 };
    steps.set(stage, step);
    return step;
  };
  return {
    put({ stage, ...step }: DeployStep): void {
      steps.set(stage, { ...step, open: 0 });
    },
    /** It begins, and whatever went on is over. */
    only(stage: DeployStage, at: string): void {
      for (const other of steps.keys()) if (other !== stage) end(other, at);
      begin(stage, at);
    },
    /** Something of it is printed; true for the first time. */
    enter(stage: DeployStage, at: string): boolean {
      const isNew = !steps.has(stage);
      const place = CHECKOUT.indexOf(stage);
      if (isNew) begin(stage, at);
      if (isNew && place > 0) for (const before of CHECKOUT.slice(0, place)) end(before, at);
      return isNew;
    },
    /** A resource of it is begun, or done. */
    seen(stage: DeployStage, done: boolean, at: string): void {
      if (!done) {
        begin(stage, at).open += 1;
        return;
      }
      const step = steps.get(stage);
      if (!step) return;
      step.open = Math.max(0, step.open - 1);
      if (step.open === 0) end(stage, at);
      if (stage === "source" && step.open === 0) for (const part of CHECKOUT) end(part, at);
    },
    /** What still goes on ends; and of what failed, the stage it failed in is marked. */
    close(at: string, failed: DeployStage | undefined, outcome: "done" | "failed" | "interrupted"): void {
      const open = [...steps.values()].filter(({ endedAt }) => endedAt === undefined);
      for (const step of open) step.endedAt = at;
      const culprit = failed === undefined ? undefined : steps.get(failed);
      if (outcome === "failed") for (const step of culprit ? [culprit] : open) step.failed = true;
    },
    list: (): readonly DeployStep[] =>
      STAGES.flatMap((stage) => {
        const step = steps.get(stage);
        if (!step) return [];
        const { open: _, ...shown } = step;
        return [{ stage, ...shown }];
      }),
  };
}

/** The stage in which what has this reason fails; undefined where it may be any. */
export function stageOfReason(reason: string | undefined): DeployStage | undefined {
  return reason === undefined ? undefined : FAILS_IN[reason];
}

const FAILS_IN: Readonly<Record<string, DeployStage>> = {
  CheckoutFailed: "source",
  RefNotFound: "source",
  InstallFailed: "install",
  BuildFailed: "build",
  DatabaseFailed: "database",
  MigrationFailed: "migrate",
  SeedFailed: "seed",
  StartFailed: "services",
  PortNotOpen: "services",
  HealthCheckFailed: "services",
  ImagePullFailed: "services",
  QuotaExceeded: "services",
  Unschedulable: "services",
  EdgeNotReady: "links",
  CertificateMissing: "links",
  SmokeTestFailed: "checks",
  GateFailed: "checks",
};
