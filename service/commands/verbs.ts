/** What may stand behind `/preview`, and what it does, in the order in which people are shown it. */
export const COMMANDS = {
  up: ["up", "makes it again after `down`"],
  down: ["down", "takes it down until the next push"],
  redeploy: ["redeploy", "builds the newest commit again"],
  rollback: ["rollback SHA", "goes back to a commit that served before, until the next push; without one, to the last"],
  extend: ["extend 48h", "lets it stay for so long from now, at least"],
  keep: ["keep", "lets it stay until the pull request is closed; `keep off` ends that"],
  sleep: ["sleep", "puts it to sleep until somebody visits"],
  wake: ["wake", "wakes it"],
  "reset-db": ["reset-db", "makes its database anew; what is in it is lost"],
  seed: [
    "seed team",
    "makes its database anew, seeded with that scenario; `seed` alone runs its seed again on what is there",
  ],
  rotate: ["rotate", "gives it another database login and other generated secrets; the ones before end"],
  flag: ["flag name=value", "sets a feature flag for this preview; `flag name=` takes that back"],
  approve: [
    "approve SHA",
    "approves that commit: a fork's or an outsider's may run, and it counts for the rule of approvals",
  ],
  logs: ["logs", "shows the last lines of its log; `logs web` those of one service"],
  status: ["status", "looks at it again"],
  help: ["help", "shows this list"],
} as const satisfies Readonly<Record<string, readonly [usage: string, does: string]>>;

export type Verb = keyof typeof COMMANDS;

export const VERBS = Object.keys(COMMANDS) as readonly Verb[];
