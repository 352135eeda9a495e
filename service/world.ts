/** What is asked of the world outside Pulumi, over every driver that a preview may have used. */
import { StacklingError } from "../components/errors.ts";
import type {
  Change,
  DriverChoice,
  Finding,
  LogLine,
  LogQuery,
  Operations,
  OwnedThing,
  Reach,
  Usage,
} from "../components/ports.ts";
import { type Port, registry } from "../components/registry.ts";
import type { PreviewSpec } from "../infra/spec.ts";
import type { OperatorConfig } from "./config/types.ts";
import { within } from "./within.ts";

export type Target = Pick<PreviewSpec["target"], "service" | "database" | "dns" | "secrets" | "backing">;

export interface Place {
  /** Private `host:port`. */
  readonly address: string;
  readonly reach?: Reach;
}

export interface World {
  /** Frees or restores what runs of a stack; an aborted `signal` ends the waiting for it. */
  setAwake(target: Target, stack: string, awake: boolean, signal?: AbortSignal): Promise<void>;
  /** Puts off the end of a preview's database login; ISO 8601 of that end, undefined where there is none. */
  renew(target: Target, stack: string): Promise<string | undefined>;
  /** Where a service is reached now, and how; undefined while there is none. */
  address(target: Target, stack: string, service: string): Promise<Place | undefined>;
  logs(target: Target, stack: string, query: LogQuery): AsyncIterable<LogLine>;
  /** Who changed a resource last, from the driver that knows; undefined also where a vendor does not answer. */
  changed(target: Target, stack: string, resource: Resource): Promise<Change | undefined>;
  /** What a stack took and holds, from the drivers that count; `failed` where one of them could not be asked. */
  usage(target: Target, stack: string, wish: { readonly held: boolean }): Promise<Usage>;
  /** Whether the drivers of these ports count what a preview takes. */
  counting(target: Target): Promise<Readonly<Record<"service" | "database", boolean>>>;
  /** What `doctor` shows of every configured driver, or of those of one port. */
  check(port?: Port): Promise<readonly Finding[]>;
  /** Why it is not ready, in a person's words, from the drivers that know. */
  explain(target: Target, stack: string): Promise<string | undefined>;
  readonly configured: readonly Target[];
  /** All that exists of one stack, or of every one, on those targets; by default on all that are configured. */
  owned(stack?: string, targets?: readonly Target[]): Promise<readonly OwnedThing[]>;
  /** Kinds of things that are looked for there. */
  kinds(targets: readonly Target[]): Promise<readonly string[]>;
  /** Removes what a stack left behind and no state knows of. */
  remove(things: readonly OwnedThing[], targets?: readonly Target[]): Promise<void>;
}

/** Less than `doctor` waits for all of them. */
const CHECK_WITHIN_MS = 12_000;
const MEND = "correct the target's options in stackling.yaml, or what they lead to";

/** As the engine knows it. */
type Resource = Readonly<Record<"type" | "id", string>>;

interface Asked {
  readonly chosen: readonly [Port, DriverChoice];
  readonly options: unknown;
  readonly operations: Operations<unknown>;
}

export function createWorld({ config }: { readonly config: Pick<OperatorConfig, "targets"> }): World {
  async function everyDriver(targets: readonly Target[] = config.targets, only?: Port): Promise<readonly Asked[]> {
    const distinct = new Map<string, readonly [Port, DriverChoice]>();
    for (const target of targets) {
      for (const entry of choices(target)) distinct.set(JSON.stringify(entry), entry);
    }
    const asked = [...distinct.values()].filter(([port]) => only === undefined || port === only);
    return Promise.all(asked.map(([port, choice]) => load(port, choice)));
  }

  /** Where there are several targets, those that a driver serves, to stand before what is found of it. */
  function placeOf([port, choice]: readonly [Port, DriverChoice]): string {
    if (config.targets.length < 2) return "";
    const wanted = JSON.stringify([port, choice]);
    const same = config.targets.filter((target) => choices(target).some((one) => JSON.stringify(one) === wanted));
    return `target ${same.map(({ name }) => `"${name}"`).join(", ")}: `;
  }

  return {
    configured: config.targets,
    async setAwake(target, stack, awake, signal) {
      for (const { options, operations } of await loadAll(target)) {
        await operations.setAwake?.({ options, stack }, awake, signal);
      }
    },
    async renew({ database }, stack) {
      if (!database) return undefined;
      const { options, operations } = await load("database", database);
      return operations.renew?.({ options, stack });
    },
    async address(target, stack, service) {
      const { options, operations } = await load("service", target.service);
      const address = await operations.address?.({ options, stack }, service);
      const reach = address === undefined ? undefined : await operations.reach?.(options);
      return address === undefined ? undefined : { address, ...(reach && { reach }) };
    },
    async *logs(target, stack, query) {
      const { options, operations } = await load("service", target.service);
      if (operations.logs) yield* operations.logs({ options, stack }, query);
    },
    async usage(target, stack, wish) {
      const asked = await loadAll(target);
      const found = await Promise.allSettled(
        asked.map(({ options, operations }) => operations.usage?.({ options, stack }, wish)),
      );
      const usages = found.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
      const rejected = found.find((one) => one.status === "rejected");
      const cause = rejected?.reason ?? usages.find(({ failed }) => failed)?.failed;
      return {
        counters: usages.flatMap(({ counters }) => counters),
        held: usages.flatMap(({ held }) => held),
        ...(cause === undefined ? {} : { failed: new Error("asking what a preview takes", { cause }) }),
      };
    },
    async counting(target) {
      const counts = async (port: Port, choice: DriverChoice | undefined) =>
        choice !== undefined && (await load(port, choice)).operations.usage !== undefined;
      return {
        service: await counts("service", target.service),
        database: await counts("database", target.database),
      };
    },
    async check(port) {
      const drivers = await everyDriver(config.targets, port);
      const found = await Promise.all(
        drivers.map(async (driver) => {
          const place = placeOf(driver.chosen);
          return (await checkDriver(driver)).map((finding) => ({ ...finding, what: place + finding.what }));
        }),
      );
      return found.flat();
    },
    async changed(target, stack, resource) {
      for (const { options, operations } of await loadAll(target)) {
        const change = await operations.changed?.({ options, stack }, resource).catch(() => undefined);
        if (change) return change;
      }
      return undefined;
    },
    async explain(target, stack) {
      for (const { options, operations } of await loadAll(target)) {
        const words = await operations.explain?.({ options, stack });
        if (words) return words;
      }
      return undefined;
    },
    async owned(stack, targets) {
      const drivers = await everyDriver(targets);
      const found = await Promise.all(
        drivers.map(({ options, operations }) => operations.owned?.(options, stack) ?? []),
      );
      return found.flat().filter((thing) => stack === undefined || thing.stack === stack);
    },
    async kinds(targets) {
      const drivers = await everyDriver(targets);
      return [...new Set(drivers.flatMap(({ operations }) => operations.kinds ?? []))];
    },
    async remove(things, targets) {
      for (const { options, operations } of await everyDriver(targets)) {
        if (!operations.remove || !operations.owned) continue;
        const stacks = [...new Set(things.map((thing) => thing.stack))];
        for (const stack of stacks) {
          for (const thing of await operations.owned(options, stack)) await operations.remove(options, thing);
        }
      }
    },
  };
}

/** Each apart from the others: one that fails or is silent hides none. */
async function checkDriver({ chosen: [port, { driver }], options, operations }: Asked): Promise<readonly Finding[]> {
  if (!operations.check) return [];
  const name = `the ${port} driver "${driver}"`;
  const silent = { ok: false, what: `asking ${name}: no answer within ${CHECK_WITHIN_MS / 1000} s`, remedy: MEND };
  try {
    return await within(CHECK_WITHIN_MS, operations.check(options), [silent]);
  } catch (error) {
    // Words of an error that is not ours may hold anything, so they stay here.
    const what = error instanceof StacklingError ? error.userMessage : `asking ${name}: it failed`;
    return [{ ok: false, what, remedy: MEND }];
  }
}

function choices(target: Target): readonly (readonly [Port, DriverChoice])[] {
  return [
    ["service", target.service] as const,
    ...(target.database ? [["database", target.database] as const] : []),
    ["dns", target.dns] as const,
    ["secrets", target.secrets] as const,
    ...Object.values(target.backing ?? {}).map((choice) => ["backing", choice] as const),
  ];
}

function loadAll(target: Target): Promise<readonly Asked[]> {
  return Promise.all(choices(target).map(([port, choice]) => load(port, choice)));
}

/** A driver's operations with its options parsed, so that the two are of one type again. */
async function load(port: Port, choice: DriverChoice): Promise<Asked> {
  const drivers: Readonly<Record<string, () => Promise<LoadedDriver>>> = registry[port];
  const driver = drivers[choice.driver];
  if (!driver) throw new Error(`loading the ${port} driver "${choice.driver}": there is none of that name`);
  const { options, operations } = await driver();
  return { chosen: [port, choice], options: options.parse(choice.options), operations };
}

interface LoadedDriver {
  readonly options: { parse(value: unknown): unknown };
  readonly operations: Operations<unknown>;
}
