import type { Verb } from "./verb.ts";

/** What is asked of one preview or stage. */
export const actVerbs: readonly Verb[] = [
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
];
