/** Where previews may go: hosts that preview.yaml names for the services of others, and what the operator says to it. */
import { z } from "zod";
import type { PreviewSpec } from "../../infra/spec.ts";
import { parseHostRule } from "../egress/hosts.ts";
import type { ApplicationConfig } from "./application-types.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import type { OperatorConfig, TargetConfig } from "./types.ts";

const EXAMPLES = '"api.stripe.com", "*.slack.com" or "search.acme.dev:9243"';

/** Of an entry of `external`. */
export const externalHosts = z
  .array(
    z
      .string()
      .refine((text) => parseHostRule(text, { addresses: false }) !== undefined, `must be a host such as ${EXAMPLES}`),
  )
  .max(50, "may hold at most 50 hosts")
  .optional()
  .describe(
    "Hosts that previews may call for it, such as `api.stripe.com` or `*.slack.com`; ports 443 and 80, or the one behind a colon. Public ones only. Default: none.",
  );

const trustedHost = z
  .string()
  .refine(
    (text) => parseHostRule(text, { addresses: true }) !== undefined,
    `must be a host or an address such as ${EXAMPLES} or "10.0.0.5:8080"`,
  );

const directTarget = z.string().refine(isTarget, 'must be a host or an address with its port, such as "10.0.0.5:9092"');

export const egressRules = z
  .strictObject({
    mode: z
      .enum(["listed", "open"])
      .optional()
      .describe(
        "`listed`: previews reach named hosts and nothing else. `open`: they reach whatever this machine or cluster does, but for commits of strangers. Default `listed`.",
      ),
    hosts: z
      .array(trustedHost)
      .optional()
      .describe(
        "Hosts that every preview may call, beside those that its preview.yaml names; they may lie in private networks, and be addresses.",
      ),
    direct: z
      .array(directTarget)
      .optional()
      .describe("What every preview may reach without the proxy, for it speaks no HTTP: a broker, a cache."),
  })
  .describe("Where previews may go. What is left out here for a repository is as at the top.");

export type EgressConfig = z.infer<typeof egressRules>;

/** Hosts of those that previews call at all. */
export function hostsOf(external: ApplicationConfig["external"]): readonly string[] {
  const called = (external ?? []).filter(({ mode }) => mode === "sandbox" || mode === "shared");
  return [...new Set(called.flatMap(({ hosts = [] }) => hosts))];
}

interface EgressInput {
  readonly config: Pick<OperatorConfig, "egress">;
  readonly repository: Pick<RepositoryConfig, "egress">;
  readonly application: Pick<ApplicationConfig, "external">;
  readonly target: Pick<TargetConfig, "enforcesEgress">;
  /** A stranger's commit gets what lies in the open, and nothing of the operator's networks. */
  readonly untrusted?: unknown;
}

/** Nothing where the operator left it open, which is for the team: a stranger could reach what lends credentials to machines. */
export function egressOf({
  config,
  repository,
  application,
  target,
  untrusted,
}: EgressInput): Pick<PreviewSpec, "egress"> {
  const { mode = "listed", hosts = [], direct = [] } = { ...config.egress, ...repository.egress };
  if (mode === "open" && !untrusted) return {};
  const named = hostsOf(application.external);
  const enforced = target.enforcesEgress ?? false;
  if (!untrusted) return { egress: { hosts: [...named], trusted: [...hosts], direct: [...direct], enforced } };
  const open = hosts.filter((text) => parseHostRule(text, { addresses: false }) !== undefined);
  return { egress: { hosts: [...new Set([...named, ...open])], trusted: [], direct: [], enforced } };
}

function isTarget(text: string): boolean {
  const rule = parseHostRule(text, { addresses: true });
  return rule !== undefined && !rule.below && rule.ports.length === 1;
}
