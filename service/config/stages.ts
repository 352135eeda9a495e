/** `repositories[].stages`: long-lived ones beside the previews, as an operator writes them and as they are used. */
import { z } from "zod";
import { accessOf, accessRules } from "./access-schema.ts";
import type { AccessConfig } from "./access-types.ts";
import { type BannerConfig, bannerRule } from "./banner.ts";
import { parseDuration } from "./duration.ts";
import { type EgressConfig, egressRules } from "./egress.ts";
import { type ExternalFile, externalSchema } from "./external.ts";
import { place } from "./place.ts";
import { secretReference } from "./secret-schema.ts";
import type { DriftPolicy, SecretReference } from "./types.ts";

const APPROVALS_MAX = 10;

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a time such as "30m", "1h" or "2d"');

const approvals = z
  .strictObject({
    required: z.int().min(1).max(APPROVALS_MAX).describe("How many people must approve a promotion to it."),
    by: z
      .array(z.string().min(1).max(200))
      .min(1)
      .optional()
      .describe(
        "Who may, by the names under which the audit shows them, such as `@ana` or `ana@acme.dev`. Default: everybody who may act.",
      ),
    own: z
      .boolean()
      .optional()
      .describe("Whether who asks for a promotion may approve it too. Default false: nobody approves what is his own."),
  })
  .describe("Approvals that a promotion to it needs, each of that one commit. Default: none.");

const stage = z.strictObject({
  branch: z.string().min(1).optional().describe("Git branch that it follows, push by push."),
  from: z.string().min(1).optional().describe("Stage whose version it takes over, by `stackling promote` alone."),
  approvals: approvals.optional(),
  wait: duration
    .optional()
    .describe("How long a promotion waits, from when it was asked for, such as `1h`. Default: 0."),
  onFailure: z
    .enum(["rollback", "keep"])
    .optional()
    .describe(
      "What comes of a version that does not start or whose checks fail: the stage goes back to the last good commit (`rollback`), or waits for a new one (`keep`). Default `rollback` with `from`, else `keep`.",
    ),
  target: z.string().optional().describe("Name of an entry of `targets`. Default: the repository's."),
  secrets: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, "must be capital letters, digits and underscores"), secretReference)
    .optional()
    .describe("Its own values of the secrets that `preview.yaml` asks for; those of previews are not given to it."),
  baseline: z
    .string()
    .min(1)
    .optional()
    .describe("Database that its own begins as a copy of, once. Default: an empty one."),
  seed: z.boolean().optional().describe("Whether its database is seeded as those of previews are. Default false."),
  external: externalSchema
    .optional()
    .describe(
      "Entries of `external` in `preview.yaml` that are others for this stage, whole: the production system, say, in place of one that is emulated.",
    ),
  sleepAfter: duration.optional().describe("Without a visit for so long, it falls asleep. Default: never."),
  access: accessRules.optional().describe("As `access` at the top, in place of it for this stage."),
  banner: bannerRule.optional().describe("As `banner` at the top, for this stage. Default false with `from`."),
  egress: egressRules.optional(),
  drift: z
    .strictObject({ policy: z.enum(["off", "report", "repair"]).describe("As `drift.policy` at the top.") })
    .optional()
    .describe("What comes of an edit by hand, for this stage."),
});

export const stagesRule = z
  .record(z.string(), stage)
  .describe(
    "Long-lived stages by name: one follows a git branch, another takes over what a stage before it serves. Never removed by themselves.",
  );

export type StagesFile = z.infer<typeof stagesRule>;

/** A stage, its defaults filled in. */
export interface StageConfig {
  readonly name: string;
  /** Git branch that it follows; undefined with `from`. */
  readonly branch?: string;
  /** Stage whose version it takes over when somebody promotes. */
  readonly from?: string;
  readonly approvals: {
    readonly required: number;
    /** Undefined: everybody who may act. */
    readonly by?: readonly string[];
    /** Who asks may approve too. */
    readonly own: boolean;
  };
  readonly waitSeconds: number;
  readonly onFailure: "rollback" | "keep";
  readonly target: string;
  readonly secrets: Readonly<Record<string, SecretReference>>;
  readonly baseline?: string;
  readonly seed: boolean;
  /** As typed: laid over `external` of preview.yaml before that is read. */
  readonly external?: ExternalFile;
  /** Undefined: never. */
  readonly sleepAfterSeconds?: number;
  readonly access?: AccessConfig;
  readonly banner?: BannerConfig;
  readonly egress?: EgressConfig;
  readonly drift?: { readonly policy: DriftPolicy };
}

export function stagesOf(
  typed: StagesFile,
  { target, directory }: { readonly target: string; readonly directory: string },
): Readonly<Record<string, StageConfig>> {
  return Object.fromEntries(
    Object.entries(typed).map(([name, one]) => [name, stageOf(name, one, { target, directory })]),
  );
}

function stageOf(
  name: string,
  typed: StagesFile[string],
  { target, directory }: { readonly target: string; readonly directory: string },
): StageConfig {
  const { branch, from, approvals: asked, baseline, external, banner, egress, drift } = typed;
  const sleepAfterSeconds = parseDuration(typed.sleepAfter ?? "");
  const shown = banner ?? (from === undefined ? undefined : false);
  return {
    name,
    ...(branch === undefined ? {} : { branch }),
    ...(from === undefined ? {} : { from }),
    approvals: { required: asked?.required ?? 0, ...(asked?.by ? { by: asked.by } : {}), own: asked?.own ?? false },
    waitSeconds: parseDuration(typed.wait ?? "") ?? 0,
    onFailure: typed.onFailure ?? (from === undefined ? "keep" : "rollback"),
    target: typed.target ?? target,
    secrets: Object.fromEntries(
      Object.entries(typed.secrets ?? {}).map(([key, reference]) => [key, place(reference, directory)]),
    ),
    ...(baseline === undefined ? {} : { baseline }),
    seed: typed.seed ?? false,
    ...(external ? { external } : {}),
    ...(sleepAfterSeconds === undefined ? {} : { sleepAfterSeconds }),
    ...accessOf(typed, directory),
    ...(shown === undefined ? {} : { banner: shown }),
    ...(egress ? { egress } : {}),
    ...(drift ? { drift } : {}),
  };
}
