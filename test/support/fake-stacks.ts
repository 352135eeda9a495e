import type { RunEvent, Stacks, UpRequest } from "../../infra/stacks.ts";

export interface FakeStacks extends Stacks {
  /** Stacks that exist, with their outputs. */
  readonly existing: Map<string, Readonly<Record<string, unknown>>>;
  /** Files that the backend still holds, by stack; a destroy removes them. */
  readonly left: Map<string, readonly string[]>;
  /** What was run, in order: `up shop-pr-1 abc1234`, `destroy shop-pr-1`. */
  readonly runs: string[];
  readonly ups: UpRequest[];
  /** Called inside each run, before it takes effect; throws or waits to shape the run. */
  during: (run: string, request: { readonly interrupt?: AbortSignal }) => Promise<void>;
}

/** The engine replaced at its port: stacks in memory, for tests that are about coordination alone. */
export function fakeStacks(): FakeStacks {
  const existing = new Map<string, Readonly<Record<string, unknown>>>();
  const runs: string[] = [];
  const ups: UpRequest[] = [];
  const stacks: FakeStacks = {
    existing,
    left: new Map(),
    runs,
    ups,
    during: async () => {},
    async up(request) {
      const { spec } = request;
      const run = `up ${spec.stack} ${spec.source.commit.slice(0, 7)}`;
      runs.push(run);
      ups.push(request);
      request.onEvent?.(started);
      await stacks.during(run, request);
      const outputs = { spec, hosts: Object.values(spec.urls), addresses: {} };
      existing.set(spec.stack, outputs);
      return { outputs, changes: { create: 1 }, durationMs: 1 };
    },
    async destroy(request) {
      const run = `destroy ${request.stack}`;
      runs.push(run);
      await stacks.during(run, request);
      stacks.left.delete(request.stack);
      const removed = existing.delete(request.stack) ? [`urn:pulumi:${request.stack}::stackling::thing::it`] : [];
      return { removed, durationMs: 1 };
    },
    drift: async () => ({ differences: [] }),
    list: async () => [...existing.keys()],
    outputs: async (stack) => existing.get(stack),
    resources: async () => [],
    remains: async (stack) => stacks.left.get(stack) ?? [],
    leftovers: async () => [...stacks.left.keys()].filter((stack) => !existing.has(stack)),
    load: () => ({ size: 2, running: 0, waiting: 0 }),
    close: async () => {},
  };
  return stacks;
}

const started: RunEvent = { at: "2026-01-01T00:00:00.000Z", kind: "started" };
