import type { Forge, PullRequest } from "../../service/forges/forge.ts";
import type { EnvironmentRule } from "../../service/forges/reviews.ts";

export interface MemoryForge extends Forge {
  /** Open and closed pull requests by number. */
  readonly pulls: Map<number, PullRequest>;
  /** Files by `ref:path`. */
  readonly files: Map<string, string>;
  /** Git refs by name, as commits. */
  readonly refs: Map<string, string>;
  /** Files that a pull request changes, by its number. */
  readonly changed: Map<number, readonly string[]>;
  /** Approving reviews, as `login commit`. */
  readonly reviews: string[];
  /** Logins of who wrote and pushed a commit. */
  readonly makers: Map<string, readonly string[]>;
  /** Rules of environments by name. */
  readonly environments: Map<string, EnvironmentRule>;
  /** What answers at the repository's path. */
  identity: { readonly id: string; readonly path: string };
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
  const bearing = (pullRequest: PullRequest) => ({ repositoryId: forge.identity.id, ...pullRequest });
  const forge: MemoryForge = {
    name: "memory",
    changed,
    reviews: [],
    makers: new Map(),
    environments: new Map(),
    identity: { id: "1", path: "acme/shop" },
    pulls,
    files,
    refs,
    outage: undefined,
    reads: 0,
    async read(_repository, number) {
      forge.reads += 1;
      const pullRequest = pulls.get(number);
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      return pullRequest
        ? { kind: "found", pullRequest: bearing(pullRequest) }
        : { kind: "unreachable", message: "404", missing: true };
    },
    async list() {
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      const open = [...pulls.values()].filter(({ state }) => state === "open");
      return { kind: "found", pullRequests: open.map(bearing) };
    },
    async changedPaths(_repository, { number }) {
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      const paths = changed.get(number);
      return paths ? { kind: "found", paths } : { kind: "tooMany" };
    },
    async approvals(_repository, { headSha }) {
      if (forge.outage) return { kind: "unreachable", message: forge.outage };
      const approvals = forge.reviews.flatMap((review) => {
        const [login = "", sha] = review.split(" ");
        return sha === headSha ? [{ login, at: "2026-01-01T00:00:00.000Z" }] : [];
      });
      return { kind: "found", approvals, madeBy: forge.makers.get(headSha) ?? [] };
    },
    async environmentRule(_repository, name) {
      const rule = forge.environments.get(name);
      return rule ? { kind: "found", rule } : { kind: "unreachable", message: `there is no environment "${name}"` };
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
    async identify() {
      if (forge.outage) throw new Error(forge.outage);
      return forge.identity;
    },
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
