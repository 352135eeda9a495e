import type { Verb } from "./verb.ts";

const budgetParent = ["budget", "what previews may cost"] as const;

/** What looks and changes nothing. */
export const lookVerbs: readonly Verb[] = [
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
    usage: "cost [key]",
    description: "what previews cost this month, the dearest first; with a key, what one takes",
    options: [
      ["--by <what>", "preview, pull-request, repository, author, team, day or month", "preview"],
      ["--month <month>", "another one, such as 2026-11"],
      ["--repository <name>", "of one repository only"],
    ],
    load: async () => (await import("./verbs/cost.ts")).cost,
  },
  {
    parent: ["cost", "what previews cost"],
    usage: "export",
    description: "write a month's costs by day in the columns of FOCUS 1.2, for billing dashboards",
    options: [
      ["--format <format>", "csv or parquet", "csv"],
      ["--month <month>", "another month than this one, such as 2026-11"],
      ["--out <file>", "where to (default: standard output)"],
    ],
    load: async () => (await import("./verbs/cost-export.ts")).costExport,
  },
  {
    usage: "budget",
    description: "how far each budget is used, and what that holds back",
    load: async () => (await import("./verbs/budget.ts")).budgetLs,
  },
  {
    parent: budgetParent,
    usage: "ls",
    description: "the same",
    load: async () => (await import("./verbs/budget.ts")).budgetLs,
  },
  {
    parent: budgetParent,
    usage: "lift <name>",
    description: "let a budget hold nothing back for a while; for admins",
    options: [
      ["--for <time>", "such as 48h, until it begins anew at most (default: until then, of a preview's a week)"],
      ["--of <subject>", "one repository or preview among those that have it (default: all of them)"],
    ],
    load: async () => (await import("./verbs/budget.ts")).budgetLift,
  },
  {
    parent: budgetParent,
    usage: "unlift <name>",
    description: "let it hold again; for admins",
    options: [["--of <subject>", "as it was lifted"]],
    load: async () => (await import("./verbs/budget.ts")).budgetUnlift,
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
];
