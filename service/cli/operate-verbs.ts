import type { Verb } from "./verb.ts";

const baselineParent = ["baseline", "databases that previews are copies of"] as const;
const tokenParent = ["token", "tokens for programs that call the API"] as const;
const configParent = ["config", "look at configuration files"] as const;

/** What the operator of an instance does. */
export const operateVerbs: readonly Verb[] = [
  {
    usage: "doctor",
    description: "check this machine, the service and its forges",
    options: [["--config <file>", "stackling.yaml that is going to be served"]],
    load: async () => (await import("./verbs/doctor.ts")).doctor,
  },
  {
    parent: configParent,
    usage: "check <file>",
    description: "check a stackling.yaml or preview.yaml",
    load: async () => (await import("./verbs/config-check.ts")).configCheck,
  },
  {
    parent: configParent,
    usage: "schema [which]",
    description: "JSON Schema for editors; which: preview (default) or stackling",
    load: async () => (await import("./verbs/config-schema.ts")).configSchema,
  },
  {
    parent: baselineParent,
    usage: "build <name>",
    description: "build a baseline anew from its source, masked; the one before stays until it is whole",
    load: async () => (await import("./verbs/baseline.ts")).baselineBuild,
  },
  {
    parent: baselineParent,
    usage: "ls",
    description: "list baselines, and those that are still to be built",
    load: async () => (await import("./verbs/baseline.ts")).baselineLs,
  },
  {
    parent: baselineParent,
    usage: "check <name>",
    description: "look into a baseline for e-mail addresses, phone and card numbers, and names",
    options: [["--names <file>", "names to look for, one in each line"]],
    load: async () => (await import("./verbs/baseline.ts")).baselineCheck,
  },
  {
    parent: tokenParent,
    usage: "create",
    description: "make a token for a program that calls the API; it is shown once",
    options: [
      ["--name <name>", "what it is for"],
      ["--role <role>", "viewer, operator or admin"],
      ["--repository <name>", "of one repository, or of several with commas between (default: all)"],
      ["--expires <time>", "how long it holds, such as 90d (default: until it is revoked)"],
    ],
    load: async () => (await import("./verbs/token.ts")).tokenCreate,
  },
  {
    parent: tokenParent,
    usage: "ls",
    description: "list tokens, with when each was used last",
    load: async () => (await import("./verbs/token.ts")).tokenLs,
  },
  {
    parent: tokenParent,
    usage: "revoke <name>",
    description: "end a token at once",
    load: async () => (await import("./verbs/token.ts")).tokenRevoke,
  },
  {
    usage: "audit",
    description: "who asked for what, when and from where, newest first",
    options: [
      ["--key <key>", "of one preview"],
      ["--actor <name>", "of one person or token"],
      ["--action <verb>", "of one verb"],
      ["--limit <entries>", "at most so many", "50"],
    ],
    load: async () => (await import("./verbs/audit.ts")).audit,
  },
  {
    usage: "backup <file>",
    description: "write the store to a file; the service may run",
    options: [["--config <file>", "stackling.yaml that names the store (default: the embedded one)"]],
    load: async () => (await import("./verbs/backup.ts")).backup,
  },
  {
    usage: "restore <file>",
    description: "put a backup into an empty store, while no service runs on it",
    options: [["--config <file>", "stackling.yaml that names the store (default: the embedded one)"]],
    load: async () => (await import("./verbs/restore.ts")).restore,
  },
  {
    usage: "pulumi <key> [args...]",
    description: "the real pulumi CLI on a preview's stack: stackling pulumi KEY -- stack",
    load: async () => (await import("./verbs/pulumi.ts")).pulumi,
  },
];
