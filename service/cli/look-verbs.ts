import type { Verb } from "./verb.ts";

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
    usage: "services",
    description: "services of others: what each is in production, in previews and where people develop",
    load: async () => (await import("./verbs/services.ts")).services,
  },
];
