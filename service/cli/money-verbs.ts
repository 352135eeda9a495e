import type { Verb } from "./verb.ts";

const budgetParent = ["budget", "what previews may cost"] as const;

/** What previews cost, and may cost. */
export const moneyVerbs: readonly Verb[] = [
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
    description: "list budgets, with how far each is used and what it holds back; as budget alone does",
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
];
