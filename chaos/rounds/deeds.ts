/** Doing what people do, as they would: who gets an error asks again, and what git took is done. */
import { setTimeout as delay } from "node:timers/promises";
import { StacklingError } from "../../components/errors.ts";
import { formatKey } from "../../infra/names.ts";
import { takeSnapshot } from "../../service/forges/local-pulls.ts";
import { findGitDir } from "../../service/git.ts";
import type { ChaosWorld } from "../world/world.ts";
import type { Deed } from "./plan.ts";

const ASK_AGAIN_MS = 250;

/** Resolves with how often it was asked for until it was taken; rejects when `signal` aborts before. */
export async function carryOut(world: ChaosWorld, deed: Deed, text: string, signal: AbortSignal): Promise<number> {
  const { repository } = world;
  switch (deed.kind) {
    case "open":
    case "push":
      await repository.commit(deed.gitBranch, { "text.txt": text });
      return 1;
    case "close":
      await repository.deleteBranch(deed.gitBranch);
      return 1;
    case "visit":
      return untilTaken(signal, () => visit(world, deed.gitBranch));
    case "sleep":
    case "wake": {
      const { kind } = deed;
      return untilTaken(signal, async () => {
        await world.instance.client.act(await keyOf(world, deed.gitBranch), { action: kind });
      });
    }
  }
}

/** Number of the open pull request of a git branch. Throws while the branch has none. */
export async function numberOf({ repository }: Pick<ChaosWorld, "repository">, gitBranch: string): Promise<number> {
  const { pulls } = await takeSnapshot(await findGitDir(repository.path));
  for (const [number, { pull }] of pulls) if (pull.branch === gitBranch && pull.state === "open") return number;
  throw new Error(`the git branch "${gitBranch}" has no open pull request`);
}

async function keyOf(world: ChaosWorld, gitBranch: string): Promise<string> {
  return formatKey({ repository: world.name, number: await numberOf(world, gitBranch) });
}

/** Held by the gateway until it is awake. */
async function visit(world: ChaosWorld, gitBranch: string): Promise<void> {
  const { name, instance } = world;
  const { status } = await instance.get(`http://pr-${await numberOf(world, gitBranch)}-${name}.localhost`);
  if (status !== 200) throw new StacklingError({ reason: "Unreachable", userMessage: `it answered ${status}` });
}

async function untilTaken(signal: AbortSignal, ask: () => Promise<void>): Promise<number> {
  for (let asked = 1; ; asked++) {
    try {
      await ask();
      return asked;
    } catch (error) {
      signal.throwIfAborted();
      // Refused for good is no outage: there is something to find.
      if (error instanceof StacklingError && error.reason === "Gone") throw error;
      await delay(ASK_AGAIN_MS, undefined, { signal });
    }
  }
}
