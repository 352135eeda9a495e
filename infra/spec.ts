/**
 * PreviewSpec: everything the program needs to build one preview, as plain JSON.
 *
 * It is stored as the stack output `spec`, so that the CLI, a rebuilt store and a successor find it
 * where the stack is. It holds no secret: secret values are named here and brought by the runner.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { canonical } from "./canonical.ts";
import { checksSpec, gateRun } from "./checks.ts";

const name = z.string().regex(/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/);

const commitSha = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/);

const buildStep = z.strictObject({ command: z.string().min(1), directory: z.string() });

const source = z.strictObject({
  repository: z.string(),
  commit: commitSha,
  submodules: z.boolean(),
  lfs: z.boolean(),
  install: z.array(buildStep),
  build: z.array(buildStep),
});

const service = z.strictObject({
  name,
  kind: z.enum(["web", "worker", "cron", "job"]),
  /** Of `sources`; absent: of the preview's own repository. */
  source: name.optional(),
  command: z.string().optional(),
  image: z.string().optional(),
  directory: z.string(),
  port: z.int().min(1).max(65535).optional(),
  ports: z.array(name).optional(),
  healthPath: z.string().startsWith("/").optional(),
  startTimeoutSeconds: z.number().positive(),
  schedule: z.string().optional(),
  environment: z.record(z.string(), z.string()),
  dependsOn: z.array(name),
  readOnlyRoot: z.boolean().optional(),
  sidecars: z.array(
    z.strictObject({
      name,
      command: z.string().optional(),
      image: z.string().optional(),
      port: z.int().min(1).max(65535).optional(),
    }),
  ),
  memoryMiB: z.number().positive(),
  cpu: z.number().positive(),
});

const flagValue = z.union([z.boolean(), z.number(), z.string()]);

const driverChoice = z.strictObject({
  driver: z.string(),
  /** The driver's own options, already parsed; references to secrets, never the secrets. */
  options: z.record(z.string(), z.unknown()),
});

/** Somebody's word for one commit, and for those of the pull requests that it is previewed with. */
const approval = z.strictObject({
  ...{ sha: commitSha, by: z.string(), at: z.iso.datetime() },
  linked: z.record(z.string(), commitSha).optional(),
});

export const previewSpec = z.strictObject({
  version: z.literal(1),
  /** Stack name, see names.ts. */
  stack: z.string(),
  /** `shop#42` or `shop@branch`. */
  key: z.string(),
  repository: name.or(z.string()),
  /** Absent for a preview made by hand. */
  number: z.int().positive().optional(),
  gitBranch: z.string(),
  /** Public URL by service, for those that have one. */
  urls: z.record(z.string(), z.string()),
  source,
  /** Commits of other repositories that services are of; absent where there are none. */
  sources: z
    .record(
      name,
      z.strictObject({
        ...source.shape,
        /** In the operator's config. */
        name: z.string(),
        /** Pull request whose head it is; absent: the default branch, as it was when this was wished for. */
        number: z.int().positive().optional(),
      }),
    )
    .optional(),
  target: z.strictObject({
    name: z.string(),
    service: driverChoice,
    database: driverChoice.optional(),
    dns: driverChoice,
    secrets: driverChoice,
    /** Servers that previews share, by the operator's name; those that this one gets a part of. */
    backing: z.record(z.string(), driverChoice).optional(),
    /** Absolute path of the operator's own module that adds to each preview, see program.ts. */
    program: z.string().optional(),
  }),
  services: z.array(service).min(1),
  /**
   * Images as the application names them (with the commit filled in) to the same pinned by digest. What
   * was found at the registry, not what is wished: no part of the digest.
   */
  images: z.record(z.string(), z.string()).optional(),
  database: z
    .strictObject({
      baseline: z.string().optional(),
      /** It is not the preview's own: nothing makes it anew. */
      shared: z.literal(true).optional(),
      migrate: buildStep.optional(),
      seed: buildStep.optional(),
      /** The one that `seed` is of, of all that may be chosen. */
      scenario: z.string().optional(),
      scenarios: z.array(z.string()).optional(),
    })
    .optional(),
  /** Feature flags by name, with what is in effect; absent where the application declares none. */
  flags: z
    .record(z.string(), z.strictObject({ value: flagValue, default: flagValue, values: z.array(flagValue).optional() }))
    .optional(),
  /** Pages with what was sent to services that are emulated, by their names; absent where there are none. */
  inboxes: z.record(z.string(), z.string()).optional(),
  /** Where it may go beside its own services and its database; absent: anywhere. */
  egress: z
    .strictObject({
      hosts: z.array(z.string()),
      trusted: z.array(z.string()),
      direct: z.array(z.string()),
      /** Else it is only asked to. */
      enforced: z.boolean(),
    })
    .optional(),
  /** How the application shuts the operator's door further. */
  access: z.strictObject({ ip: z.array(z.string()).optional(), shareLinks: z.literal(false).optional() }).optional(),
  /** Where the application wants no banner on its pages. */
  banner: z.union([z.boolean(), z.strictObject({ off: z.array(z.string()) })]).optional(),
  /** Users of its seeds, and the path that logs one in; `key` is the public half of the preview's own pair. */
  login: z
    .strictObject({
      path: z.string().startsWith("/"),
      users: z.array(z.strictObject({ name: z.string(), title: z.string() })),
      key: z.string().optional(),
    })
    .optional(),
  /** Its parts of servers that previews share, by the name in `external`; `from` is of `target.backing`. */
  backing: z.record(z.string(), z.strictObject({ from: z.string(), topics: z.array(z.string()) })).optional(),
  /** What it must pass before it counts as good; no part of the digest: others are asked of the next update. */
  checks: checksSpec.optional(),
  /** Of one update only, which runs a gate over what serves: no part of the digest, and never stored. */
  gate: gateRun.optional(),
  /** Keys of `preview.yaml` in which it follows the head, for the operator lets it. */
  fromHead: z.array(z.string()).optional(),
  /** The one callback address that its own social logins have, on Stackling's host; absent where none are relayed. */
  oauthCallback: z.url().optional(),
  /** Names of generated secrets the application asks for. */
  generatedSecrets: z.array(z.string()),
  /** Names of secrets whose values the operator grants; the runner brings the values. None where `untrusted`. */
  grantedSecrets: z.array(z.string()),
  /**
   * Of a fork or an outsider, and approved; `isolated`: the target keeps it apart from the service. Whatever else
   * it names, no granted secret is resolved for it.
   */
  untrusted: z.strictObject({ isolated: z.boolean() }).optional(),
  /** One-shot wishes as levels: raised once, done once, also when killed in the middle. */
  generations: z.strictObject({
    deploy: z.int().min(0),
    database: z.int().min(0),
    seed: z.int().min(0),
    secrets: z.int().min(0),
  }),
  /**
   * What people wished when this was brought up and a lost store must give back. Echoed only: no part of
   * the digest, so that a renewal causes no update.
   */
  intents: z
    .strictObject({
      keep: z.boolean(),
      extendedTo: z.iso.datetime().optional(),
      flags: z.record(z.string(), z.string()).optional(),
      seeds: z.strictObject({ said: z.string() }).optional(),
      approved: approval.optional(),
      approvals: z.array(approval).optional(),
      promoted: z
        .strictObject({
          ...{ sha: commitSha, from: z.string(), by: z.string(), at: z.iso.datetime() },
          images: z.record(z.string(), z.string()).optional(),
          sources: z.record(z.string(), commitSha).optional(),
          approvals: z.array(z.strictObject({ by: z.string(), at: z.iso.datetime() })),
        })
        .optional(),
      rolledBack: z
        .strictObject({
          ...{ sha: commitSha, head: commitSha, by: z.string(), at: z.iso.datetime() },
          database: z.enum(["anew", "kept"]).optional(),
        })
        .optional(),
    })
    .optional(),
  tags: z.record(z.string(), z.string()),
});

export type PreviewSpec = z.infer<typeof previewSpec>;

/**
 * SHA-256 of the wish in hexadecimal, whatever the order of its keys: equal ones ask for equal stacks. A new key for
 * logins waits for the next update: it comes of a new API token, and no preview starts anew for that.
 */
export function specDigest(spec: PreviewSpec): string {
  const { images: _found, intents: _echoed, checks: _later, gate: _once, login, egress, ...wish } = spec;
  const asked = {
    ...wish,
    ...(login && { login: { ...login, key: undefined } }),
    // Whether it is enforced was found, and a cloud may answer another time.
    ...(egress && { egress: { ...egress, enforced: undefined } }),
  };
  return createHash("sha256").update(canonical(asked)).digest("hex");
}
