/** What an operator's template can name. Pure; docs/comment.md has it as a table. */
import { PARTS } from "./comment.ts";
import type { PreviewFacts } from "./facts.ts";

export interface Word {
  readonly says: string;
  /** What it, or each of it where it is a list, holds. */
  readonly holds?: readonly string[];
  readonly list?: true;
}

const COMMIT = ["sha", "short", "url"] as const;

/** Complete over the facts by its type. */
const FACTS: Readonly<Record<keyof PreviewFacts, Word>> = {
  key: { says: "`shop#42`" },
  repository: { says: "its name in the config" },
  number: { says: "of the pull request" },
  title: { says: "of the pull request" },
  author: { says: "login" },
  pullRequestUrl: { says: "" },
  condition: { says: "`Ready`, `Reconciling`, `Stalled`, `Gone`" },
  reason: { says: "`Healthy`, `Updating`, `BuildFailed`, …" },
  sign: { says: "one emoji" },
  words: { says: "the end of the sentence “Preview shop#42 …”" },
  message: { says: "why, or what is being done; absent while it is simply ready" },
  servesOn: { says: "it failed, and what served before goes on serving" },
  url: { says: "of the main service; absent until a first version answers" },
  host: { says: "of `url`" },
  qrUrl: { says: "a picture of `url` for phones; absent on `localhost`" },
  pageUrl: { says: "its page on Stackling" },
  fallbackUrl: { says: "the operator's, while the preview cannot be had" },
  commit: { says: "what serves", holds: COMMIT },
  newest: { says: "the newest one, where that is not what serves", holds: COMMIT },
  partOf: { says: "previews of other repositories in which its commit runs too", holds: ["key", "url"], list: true },
  linked: { says: "commits of other repositories that serve in it", holds: ["said", "url", "commit"], list: true },
  services: { says: "of the version that serves", holds: ["name", "url", "state"], list: true },
  database: { says: "", holds: ["branch", "scenario"] },
  schema: { says: "what its migrations changed", holds: ["changes", "counts", "baseline"] },
  users: { says: "test users; the address logs in as that one", holds: ["title", "url"], list: true },
  moreUsers: { says: "where there are more than five", holds: ["count", "url"] },
  untrusted: { says: "of a stranger's that runs: on whose word, and without what" },
  flags: { says: "feature flags that somebody set", holds: ["name", "value"], list: true },
  checks: { says: "smoke tests and gates of the newest commit", holds: ["summary", "results"] },
  queue: { says: "its place while a cap holds it back", holds: ["place", "of"] },
  cost: {
    says: "in words; what it is about to take, took in all, and took this month where that is another",
    holds: ["estimate", "soFar", "month"],
  },
  since: { says: "of the condition" },
  staysUntil: { says: "when it goes however much it is used" },
  removedOn: { says: "the teardown that it goes in" },
  keepCommand: { says: "by which readers keep it" },
  extendCommand: { says: "by which readers let it stay longer" },
  keepLabel: { says: "the label that keeps it" },
  approvedBy: { says: "who approved the newest commit, where a rule asks for it", holds: ["names", "commit"] },
  approval: {
    says: "a commit that waits for somebody's word; `trusted` where it is no stranger's",
    holds: ["commit", "linked", "say", "inComments", "trusted"],
  },
  notices: { says: "what people should not miss", holds: ["tone", "lines", "mention"], list: true },
  excerpt: { says: "the last lines of what failed, redacted", list: true },
  answers: { says: "the last slash commands", holds: ["said", "by", "done", "answer", "lines"], list: true },
  commands: { says: "lists of `code` and `does`", holds: ["inComments", "byCli"] },
};

export const VOCABULARY: Readonly<Record<string, Word>> = {
  ...FACTS,
  markdown: { says: "the comment's own parts, made; use them with `| raw`", holds: Object.keys(PARTS) },
};

/** Of a list Liquid knows these too, of a text and a list their size. */
const BUILT_IN: ReadonlySet<string> = new Set(["size", "first", "last"]);

/** Why a template cannot name that, as the rest of a sentence; undefined when it can. */
export function vocabularyFault(path: readonly (string | number)[]): string | undefined {
  const [root = "", ...rest] = path.map(String);
  const word = Object.hasOwn(VOCABULARY, root) ? VOCABULARY[root] : undefined;
  if (!word) return `there is no "${root}"`;
  const names = word.list ? rest.filter((part) => !/^\d+$/.test(part) && part !== "first" && part !== "last") : rest;
  const [next] = names;
  if (next === undefined || BUILT_IN.has(next) || word.holds?.includes(next)) return undefined;
  return `"${root}" has no "${next}"`;
}
