import type { Verb } from "./verb.ts";

/** The service itself, and previews without a forge. */
export const serveVerbs: readonly Verb[] = [
  {
    usage: "serve",
    description: "run the service; without a config, on this machine with the example application",
    options: [
      ["--config <file>", "stackling.yaml of the operator"],
      ["--port <port>", "port to listen on (default: STACKLING_PORT, else what the config says, else 4000)"],
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
      ["--port <port>", "port to listen on when no service runs yet (default: STACKLING_PORT, else 4000)"],
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
];
