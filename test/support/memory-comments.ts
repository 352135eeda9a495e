import { StacklingError } from "../../components/errors.ts";
import type { CommentsRead, ForgeCommands, PullRequestComment } from "../../service/forges/forge.ts";

export interface MemoryComments extends ForgeCommands {
  /** Says something on a pull request; returns the comment's id. */
  say(number: number, body: string, comment?: { readonly author?: string; readonly createdAt?: string }): number;
  edit(id: number, body: string): void;
  /** Who may write to the repository. */
  readonly writers: Set<string>;
  /** Reactions in the order in which they were put. */
  readonly reactions: { readonly comment: number; readonly outcome: string }[];
  /** When set, every call fails with it. */
  outage: string | undefined;
}

/** Comments of a forge that is replaced at its port. `ada` may write. */
export function memoryComments({ now }: { readonly now: () => string }): MemoryComments {
  const said: { number: number; comment: PullRequestComment }[] = [];
  const requireForge = () => {
    if (memory.outage) throw new StacklingError({ reason: "Unreachable", userMessage: memory.outage });
  };
  const memory: MemoryComments = {
    writers: new Set(["ada"]),
    reactions: [],
    outage: undefined,
    say(number, body, { author = "ada", createdAt = now() } = {}) {
      const id = said.length + 1;
      said.push({ number, comment: { id, author, createdAt, body } });
      return id;
    },
    edit(id, body) {
      const found = said.find(({ comment }) => comment.id === id);
      if (found) found.comment = { ...found.comment, body };
    },
    async comments(_repository, number, { since, after }): Promise<CommentsRead> {
      if (memory.outage) return { kind: "unreachable", message: memory.outage };
      const comments = said
        .filter((one) => one.number === number)
        .map(({ comment }) => comment)
        .filter(({ id, createdAt }) => id > after && createdAt >= since);
      const last = comments.at(-1);
      return { kind: "found", comments, more: false, ...(last ? { last: { id: last.id, at: last.createdAt } } : {}) };
    },
    async mayCommand(_repository, { author }) {
      requireForge();
      return author !== undefined && memory.writers.has(author);
    },
    async acknowledge(_repository, { id: comment }, outcome) {
      requireForge();
      memory.reactions.push({ comment, outcome });
    },
  };
  return memory;
}
