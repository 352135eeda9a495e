import type { Verb } from "./verb.ts";

const baselineParent = ["baseline", "databases that previews are copies of"] as const;
const tokenParent = ["token", "tokens for programs that call the API"] as const;
const configParent = ["config", "look at configuration files"] as const;

/** Every verb; adding one is a file and an entry. */
export const verbs: readonly Verb[] = [
  {
    usage: "serve",
    description: "run the service; without a config, on this machine with the example application",
    options: [
      ["--config <file>", "stackling.yaml of the operator"],
      ["--port <port>", "port to listen on (default: 4000, or what the config says)"],
      ["--host <address>", "address to listen on (default: 127.0.0.1, or what the config says)"],
    ],
    load: async () => (await import("./verbs/serve.ts")).serve,
  },
  {
    usage: "stop",
    description: "stop the service, or what a crashed one left running",
    load: async () => (await import("./verbs/stop.ts")).stop,
  },
  {
    usage: "demo",
    description: "open a demonstration pull request and show what becomes of it",
    options: [
      ["--once", "open, push, close, report each step, and exit"],
      ["--port <port>", "port to listen on (default: any)"],
    ],
    load: async () => (await import("./verbs/demo.ts")).demo,
  },
  {
    usage: "up <path>",
    description: "a preview of any git repository, until down",
    options: [
      ["--ref <ref>", "branch, tag or commit (default: what is checked out)"],
      ["--port <port>", "port to listen on when no service runs yet (default: 4000)"],
      ["--timeout <seconds>", "how long to wait for the link", "600"],
    ],
    load: async () => (await import("./verbs/up.ts")).up,
  },
  {
    usage: "down <key>",
    description: "remove a preview and everything it owns",
    options: [
      ["--confirm", "also a stage, which goes with its database"],
      ["--timeout <seconds>", "how long to wait until it is gone", "300"],
    ],
    load: async () => (await import("./verbs/down.ts")).down,
  },
  {
    usage: "ls",
    description: "list previews",
    options: [["--gone", "those that are gone too"]],
    load: async () => (await import("./verbs/ls.ts")).ls,
  },
  {
    usage: "show <key>",
    description: "everything about one preview",
    load: async () => (await import("./verbs/show.ts")).show,
  },
  {
    usage: "logs <key>",
    description: "what a preview's services print; with --deploy, what was done to bring it up",
    options: [
      ["--deploy [number]", "the log of its last deployment, or of one by its number"],
      ["--deployments", "list its last deployments"],
      ["--follow", "go on until Ctrl-C"],
      ["--service <name>", "one service only"],
      ["--tail <lines>", "lines from the end of each log", "100"],
    ],
    load: async () => (await import("./verbs/logs.ts")).logs,
  },
  {
    usage: "open [key]",
    description: "open a preview in the browser; without a key the page, logged in",
    load: async () => (await import("./verbs/open.ts")).open,
  },
  {
    usage: "wait <key>",
    description: "wait until a preview is ready",
    options: [
      ["--gone", "until it is gone instead"],
      ["--sha <commit>", "until it serves that commit, also where it is not there yet; exit code 1 when it never will"],
      ["--timeout <seconds>", "how long", "600"],
    ],
    load: async () => (await import("./verbs/wait.ts")).wait,
  },
  {
    usage: "redeploy <key>",
    description: "release the same commit again",
    options: [["--timeout <seconds>", "how long to wait for it", "600"]],
    load: async () => (await import("./verbs/redeploy.ts")).redeploy,
  },
  {
    usage: "rollback <key> [sha]",
    description: "go back to a commit that served before, until the next push; without one, to the last good one",
    options: [
      ["--keep-database", "leave the database as newer migrations made it"],
      ["--timeout <seconds>", "how long to wait for it", "600"],
    ],
    load: async () => (await import("./verbs/rollback.ts")).rollback,
  },
  {
    usage: "reset-db <key>",
    description: "make a preview's database anew; what is in it is lost",
    options: [["--timeout <seconds>", "how long to wait for it", "600"]],
    load: async () => (await import("./verbs/redeploy.ts")).resetDatabase,
  },
  {
    usage: "seed <key> [scenario]",
    description:
      "make a preview's database anew, seeded with a scenario; what is in it is lost. Without one, run its seed again",
    options: [["--timeout <seconds>", "how long to wait for it", "600"]],
    load: async () => (await import("./verbs/redeploy.ts")).seed,
  },
  {
    usage: "rotate <key>",
    description: "give a preview another database login and other generated secrets; the ones before end",
    options: [["--timeout <seconds>", "how long to wait for it", "600"]],
    load: async () => (await import("./verbs/redeploy.ts")).rotate,
  },
  {
    usage: "flag <key> <assignment>",
    description: "set a feature flag for one preview: name=value; name= takes that back",
    options: [["--timeout <seconds>", "how long to wait for it", "600"]],
    load: async () => (await import("./verbs/flag.ts")).flag,
  },
  {
    usage: "sleep <key>",
    description: "put a preview to sleep until the next visit or push; its data stays",
    options: [["--timeout <seconds>", "how long to wait for it", "120"]],
    load: async () => (await import("./verbs/sleep.ts")).sleep,
  },
  {
    usage: "wake <key>",
    description: "wake a preview",
    options: [["--timeout <seconds>", "how long to wait for it", "300"]],
    load: async () => (await import("./verbs/wake.ts")).wake,
  },
  {
    usage: "extend <key> <time>",
    description: "let a preview stay for so long from now, such as 48h or 14d",
    load: async () => (await import("./verbs/extend.ts")).extend,
  },
  {
    usage: "share <key>",
    description: "make a link that lets whoever has it in to a preview, for a while",
    options: [
      ["--for <time>", "how long, such as 90m, 24h or 7d (default: 24h)"],
      ["--to <path>", "address in the preview to begin at (default: /)"],
      ["--service <name>", "of several services (default: the main one)"],
    ],
    load: async () => (await import("./verbs/share.ts")).share,
  },
  {
    usage: "keep <key>",
    description: "never remove a preview for its age or because nobody uses it",
    options: [["--off", "end that: its times count from now"]],
    load: async () => (await import("./verbs/keep.ts")).keep,
  },
  {
    usage: "approve <key> <sha>",
    description: "let one commit of a fork's or an outsider's pull request run",
    load: async () => (await import("./verbs/approve.ts")).approve,
  },
  {
    usage: "promote <repository> <from> <to>",
    description: "give a stage exactly what another one serves, after the approvals and the wait that it needs",
    options: [
      ["--approve", "approve the promotion that waits"],
      ["--cancel", "cancel it"],
      ["--wait", "wait for approvals and time too"],
      ["--timeout <seconds>", "how long to wait for it", "600"],
    ],
    load: async () => (await import("./verbs/promote.ts")).promote,
  },
  {
    usage: "drift [key]",
    description: "compare what exists with what should; without a key, what the looks on schedule found",
    options: [["--repair", "compare and make it again as it should be"]],
    load: async () => (await import("./verbs/drift.ts")).drift,
  },
  {
    usage: "pulumi <key> [args...]",
    description: "the real pulumi CLI on a preview's stack: stackling pulumi KEY -- stack",
    load: async () => (await import("./verbs/pulumi.ts")).pulumi,
  },
  {
    usage: "sweep [names...]",
    description: "remove what no preview owns any more",
    options: [
      ["--dry-run", "name it and remove nothing"],
      ["--confirm", "also what only you can let go: all that has no stack, or the previews and stacks that are named"],
    ],
    load: async () => (await import("./verbs/sweep.ts")).sweep,
  },
  {
    usage: "services",
    description: "services of others: what each is in production, in previews and where people develop",
    load: async () => (await import("./verbs/services.ts")).services,
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
    usage: "stop-all",
    description: "bring nothing new up and put every preview to sleep, until resume-all",
    load: async () => (await import("./verbs/stop-all.ts")).stopAll,
  },
  {
    usage: "resume-all",
    description: "let everything go on after stop-all",
    load: async () => (await import("./verbs/stop-all.ts")).resumeAll,
  },
  {
    usage: "doctor",
    description: "check this machine, the service and its forges",
    options: [["--config <file>", "stackling.yaml that is going to be served"]],
    load: async () => (await import("./verbs/doctor.ts")).doctor,
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
];
