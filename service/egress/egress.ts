/** The way out of this machine's previews: the proxy, the firewall behind it, and what was refused. */
import { appendFile, stat } from "node:fs/promises";
import { keepEgressAccess, readEgress } from "../../components/local/egress-access.ts";
import {
  applyFirewall,
  firewallFault,
  readFirewall,
  readTried,
  removeFirewall,
} from "../../components/local/firewall.ts";
import { exists, readJson, writeJson } from "../../components/local/json-file.ts";
import { layout } from "../../components/local/layout.ts";
import { choosePort } from "../../components/local/ports.ts";
import { listUsers } from "../../components/local/users.ts";
import type { OperatorConfig } from "../config/types.ts";
import { every } from "../every.ts";
import { chooseAddress, resolveHost } from "./addresses.ts";
import { createCallers } from "./callers.ts";
import { createEgressProxy, type EgressProxy } from "./proxy.ts";
import { type NewRefusal, type RefusedCall, refusalWords, withRefusal } from "./refusals.ts";

export { withEnforcement } from "./enforcement.ts";

export interface EgressDeps {
  readonly config: Pick<OperatorConfig, "targets">;
  readonly dataDir: string;
  readonly logger: { warn(fields: object, message: string): void };
  /** ISO 8601 */
  readonly now: () => string;
}

export interface Egress {
  /** Of one preview, the latest first. */
  refusedCalls(stack: string): Promise<readonly RefusedCall[]>;
}

/** How it is ended. */
type Undo = (how: { readonly endServices: boolean }) => Promise<unknown>;

/** Somebody may have flushed the kernel's rules, and names behind which services lie may lead elsewhere by now. */
const LOOK_MS = 15_000;

/**
 * Resolves once previews can be let out; where no target runs them on this machine, there is nothing to do. To be
 * started before what runs previews and so ended behind it: they are held back to their end.
 */
export async function startEgress(deps: EgressDeps, undo: Undo[]): Promise<Egress> {
  const { config, dataDir, logger } = deps;
  const refusals = createRefusals(deps);
  if (!config.targets.some(({ service }) => service.driver === "local")) {
    return { refusedCalls: refusals.of };
  }
  let port = 0;
  const proxy = createEgressProxy({
    identify: createCallers(dataDir, () => port),
    choose: (wanted) => chooseAddress(wanted, resolveHost),
    onRefused: refusals.add,
  });
  port = await listen(proxy, deps);
  const fault = await firewallFault();
  if (fault === undefined) await applyFirewall(dataDir);
  const look = every(LOOK_MS, async () => {
    await endGone(proxy, dataDir);
    if (fault === undefined)
      await mend(deps, refusals.add).catch((error) => logger.warn({ err: error }, "keeping the firewall failed"));
  });
  undo.push(async ({ endServices }) => {
    await look.close();
    await proxy.close();
    await refusals.close();
    // Nothing runs any more that rules could hold back.
    if (endServices && fault === undefined) await removeFirewall(dataDir);
  });
  return { refusedCalls: refusals.of };
}

/** Where it did before, for running previews were told so. */
async function listen(proxy: EgressProxy, { dataDir, logger }: EgressDeps): Promise<number> {
  const { port: before } = await keepEgressAccess(dataDir);
  try {
    if (before > 0) return await proxy.listen(before);
  } catch (error) {
    logger.warn(
      { err: error, port: before },
      "the egress proxy's port is taken; previews that run find the new one when they are redeployed",
    );
  }
  const port = await proxy.listen(await choosePort(dataDir));
  await keepEgressAccess(dataDir, port);
  return port;
}

async function mend(
  { dataDir, logger }: EgressDeps,
  refused: (stack: string, refusal: NewRefusal) => void,
): Promise<void> {
  const before = await readFirewall(dataDir);
  await tellTried(dataDir, refused);
  await applyFirewall(dataDir);
  const after = await readFirewall(dataDir);
  if (before === undefined && after !== undefined) {
    logger.warn({}, "somebody had removed the firewall rules of the previews; they are made again");
  }
}

/** Before the rules are written anew, which forgets it. */
async function tellTried(dataDir: string, refused: (stack: string, refusal: NewRefusal) => void): Promise<void> {
  const [tried, users] = await Promise.all([readTried(dataDir), listUsers(dataDir)]);
  const stacks = new Map(Object.entries(users).map(([stack, user]) => [user, stack]));
  for (const { user, address, port, count } of tried) {
    const stack = stacks.get(user);
    if (stack !== undefined) refused(stack, { host: address, port, why: "direct", times: count });
  }
}

async function endGone(proxy: EgressProxy, dataDir: string): Promise<void> {
  for (const stack of proxy.callers()) {
    if (!(await readEgress(dataDir, stack).catch(() => undefined))) proxy.end(stack);
  }
}

/** A preview that asks again and again shall cost one write a second, and one line a minute. */
const WRITE_MS = 1_000;
const SAY_AGAIN_MS = 60_000;

/** In the preview's own folder, so that they go with it. */
function createRefusals({ dataDir, logger, now }: Pick<EgressDeps, "dataDir" | "logger" | "now">) {
  const pending = new Map<string, NewRefusal[]>();
  const said = new Map<string, number>();

  async function write(): Promise<void> {
    for (const [stack, refused] of [...pending]) {
      pending.delete(stack);
      const { folder, refusedCalls, log } = layout(dataDir).preview(stack);
      if (!(await exists(folder))) continue;
      const known = (await readJson<RefusedCall[]>(refusedCalls).catch(() => undefined)) ?? [];
      const at = now();
      const next = refused.reduce<readonly RefusedCall[]>((list, one) => withRefusal(list, one, at), known);
      await writeJson(refusedCalls, next);
      const lines = [...new Set(refused.map(refusalWords))].filter((words) => isNews(`${stack} ${words}`));
      const isThere = await stat(log("egress")).then(
        ({ size }) => size < LOG_BYTES,
        () => true,
      );
      if (isThere && lines.length > 0)
        await appendFile(log("egress"), lines.map((line) => `${at} ${line}\n`).join(""), { mode: 0o600 });
    }
  }

  function isNews(what: string): boolean {
    const last = said.get(what);
    const moment = performance.now();
    if (last !== undefined && moment - last < SAY_AGAIN_MS) return false;
    if (said.size > SAID_MAX) said.clear();
    said.set(what, moment);
    return true;
  }

  const writing = every(WRITE_MS, () =>
    write().catch((error) => logger.warn({ err: error }, "writing down refused calls failed")),
  );
  return {
    add(stack: string, refusal: NewRefusal): void {
      const waiting = pending.get(stack) ?? [];
      // More in a second than this is one preview's loop.
      if (waiting.length < PENDING_MAX) pending.set(stack, [...waiting, refusal]);
    },
    of: async (stack: string): Promise<readonly RefusedCall[]> =>
      (await readJson<RefusedCall[]>(layout(dataDir).preview(stack).refusedCalls).catch(() => undefined)) ?? [],
    async close(): Promise<void> {
      await writing.close();
      await write().catch(() => {});
    },
  };
}

const PENDING_MAX = 1_000;
const SAID_MAX = 10_000;
const LOG_BYTES = 1024 * 1024;
