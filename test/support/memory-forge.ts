import type { Forge, PullRequest } from "../../service/forges/forge.ts";

export interface MemoryForge extends Forge {
  /** Open and closed pull requests by number. */
  readonly pulls: Map<number, PullRequest>;
  /** Files by `ref:path`. */
  readonly files: Map<string, string>;
  /** Git refs by name, as commits. */
  readonly refs: Map<string, string>;
  /** Files that a pull request changes, by its number. */
  readonly changed: Map<number, readonly string[]>;
  /** When set, every read fails with it. */
  outage: string | undefined;
  reads: number;
}

/** The forge replaced at its port: what tests about coordination say is open. */
export function memoryForge(): MemoryForge {
  const pulls = new Map<number, PullRequest>();
  const files = new Map<string, string>();
  const refs = new Map<string, string>();
  const changed = new Map<number, readonly string[]>();
  const forge: MemoryForge = {
    name: "memory",
    changed,
    pulls,
    files,
    refs,
    outage: undefined,
    reads: 0,
    async read(_repository, number) {
      forge.reads += 1;
      const pullRequest = pulls.get(number);
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      return pullRequest ? { kind: "found", pullRequest } : { kind: "unreachable", message: "404" };
    },
    async list() {
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      return { kind: "found", pullRequests: [...pulls.values()].filter(({ state }) => state === "open") };
    },
    async changedPaths(_repository, { number }) {
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      const paths = changed.get(number);
      return paths ? { kind: "found", paths } : { kind: "tooMany" };
    },
    async readFile(_repository, gitRef, path) {
      if (forge.outage) throw new Error(forge.outage);
      return files.get(`${gitRef}:${path}`);
    },
    async resolve(_repository, gitRef) {
      if (forge.outage) throw new Error(forge.outage);
      return refs.get(gitRef);
    },
    defaultBranch: async () => "main",
    clonePoint: async () => ({ url: "/srv/shop.git", environment: {}, refs: [] }),
    announce: async (_repository, _pullRequest, _announcement, handles) => handles,
  };
  return forge;
}

/** An open pull request of a trusted author; `changes` over it. */
export function pullRequest(number: number, headSha: string, changes: Partial<PullRequest> = {}): PullRequest {
  return {
    number,
    title: `Change ${number}`,
    state: "open",
    merged: false,
    draft: false,
    author: "ada",
    fork: false,
    trustedAuthor: true,
    bot: false,
    labels: [],
    headSha,
    headRef: `feature-${number}`,
    baseRef: "main",
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    ...changes,
  };
}
