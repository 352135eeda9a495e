import type { Verb } from "./verb.ts";

/** What keeps the house clean: of many previews, or around them. */
export const cleanVerbs: readonly Verb[] = [
  {
    usage: "drift [key]",
    description: "compare what exists with what should; without a key, what the looks on schedule found",
    options: [["--repair", "compare and make it again as it should be"]],
    load: async () => (await import("./verbs/drift.ts")).drift,
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
    usage: "stop-all",
    description: "bring nothing new up and put every preview to sleep, until resume-all",
    load: async () => (await import("./verbs/stop-all.ts")).stopAll,
  },
  {
    usage: "resume-all",
    description: "let everything go on after stop-all",
    load: async () => (await import("./verbs/stop-all.ts")).resumeAll,
  },
];
