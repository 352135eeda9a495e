import type { Verb } from "./verb.ts";

const baselineParent = ["baseline", "databases that previews are copies of"] as const;

/** What keeps the house clean: of many previews, or around them. */
export const cleanVerbs: readonly Verb[] = [
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
];
