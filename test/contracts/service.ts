import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Output, output, runtime, secret } from "@pulumi/pulumi";
import { StacklingError } from "../../components/errors.ts";
import type { ServiceArgs, ServiceDefinition, ServiceDriver, SourceDefinition } from "../../components/ports.ts";

/** A world in which a driver's declarations come true, so that its operations have something to tell of. */
export interface ServiceWorld<O> {
  readonly options: O;
  readonly source: SourceDefinition;
  /** Runs the real engine on the component and resolves with `addresses`. */
  up(args: Omit<ServiceArgs<O>, "stack" | "tags" | "options" | "source">): Promise<Readonly<Record<string, string>>>;
  destroy(): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceSubject<O> {
  readonly name: string;
  /** Declares as a preview of the program does, for a driver that asks its vendor while it declares. */
  readonly dryRun?: boolean;
  readonly load: () => Promise<ServiceDriver<O>>;
  /** Absent for a driver whose world has a suite of its own. `stack` is the stack's name. Its source must hold the `server.mjs` that the driver's example starts. */
  readonly createWorld?: (stack: string) => Promise<ServiceWorld<O>>;
  readonly requires: { readonly skip: false | string };
}

const STACK = "contract-pr-1";

/** What every service driver must do: declare on mocks, and hold in the world. */
export function serviceContract<O>(subject: ServiceSubject<O>): void {
  describe(`service driver "${subject.name}"`, () => {
    declarationContract(subject);
    const { createWorld } = subject;
    if (createWorld) describe("in the world", subject.requires, () => operationContract({ ...subject, createWorld }));
  });
}

interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

function declarationContract<O>({ load, dryRun = false }: ServiceSubject<O>): void {
  const declare = async (change: (args: ServiceArgs<O>) => ServiceArgs<O> = (args) => args) => {
    const driver = await load();
    const declared: Declared[] = [];
    const mocks: runtime.Mocks = {
      call: () => ({}),
      newResource: ({ type, name, inputs, custom }) => {
        if (custom) declared.push({ type, name, inputs });
        const made = { path: "/checkout", address: `${name}:1`, arn: `arn:of:${name}`, versionId: "first" };
        return { id: name, state: { ...inputs, ...made } };
      },
    };
    await runtime.setMocks(mocks, "project", STACK, dryRun);
    const args = { ...driver.example(), stack: STACK, tags: {} };
    try {
      const component = new driver.component("shop", change(args));
      return { declared, addresses: await resolved(component.addresses), urn: await resolved(component.urn) };
    } finally {
      // Or the next test's mocks would get what this one registers, a refused one too.
      await runtime.disconnect();
    }
  };
  const withService = (changes: Partial<ServiceDefinition>) => (args: ServiceArgs<O>) => ({
    ...args,
    services: args.services.map((service, index) => (index === 0 ? { ...service, ...changes } : service)),
  });

  it("declares under the component's name only, and resolves its URN", async () => {
    const { declared, urn } = await declare();
    assert.ok(declared.length > 0);
    assert.match(urn, /::shop$/);
    for (const { name } of declared) assert.match(name, /^shop-/);
  });

  it("gives an address of every service that listens", async () => {
    const driver = await load();
    const names = driver.example().services.map(({ name }) => name);
    assert.deepEqual(Object.keys((await declare()).addresses).sort(), names.sort());
  });

  it("resolves references to database, secrets, public URLs and private addresses", async () => {
    const [, second] = (await load()).example().services;
    const environment = {
      DB: "${database.url}",
      KEY: "k-${secrets.KEY}",
      URL: "${services.web.url}",
      PEER: `\${services.${second?.name}.address}`,
      PLAIN: "$${kept}",
    };
    const { declared } = await declare(
      (args): ServiceArgs<O> => ({
        ...withService({ environment })(args),
        database: { name: output("db"), url: secret("postgres://u:pw@h/db"), identity: output("one") },
        secrets: secret<Record<string, string>>({ KEY: "value" }),
      }),
    );
    const text = JSON.stringify(declared);
    const address = (await declare()).addresses[second?.name ?? ""] ?? "no address";
    for (const part of ["postgres://u:pw@h/db", "k-value", "http://pr-1-example", address, "${kept}"]) {
      // A vendor may want values encoded.
      const found = text.includes(part) || text.includes(Buffer.from(part).toString("base64"));
      assert.ok(found, `${part} is not in ${text}`);
    }
  });

  for (const [what, changes] of [
    ["a dependency that does not exist", { dependsOn: ["nobody"] }],
    ["a dependency on itself", { dependsOn: ["web"] }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(
        declare(withService(changes)),
        (error) => error instanceof StacklingError && error.reason === "SpecInvalid",
      );
    });
  }
}

function operationContract<O>({ load, createWorld }: Required<Pick<ServiceSubject<O>, "load" | "createWorld">>): void {
  let world: ServiceWorld<O>;
  beforeEach(async () => {
    world = await createWorld(STACK);
  });
  afterEach(() => world.close());

  it("serves, sleeps, wakes, tells its logs, and leaves nothing when it is destroyed", async () => {
    const { component: _, operations, example } = await load();
    const context = { options: world.options, stack: STACK };
    const { options: _options, source: _source, ...args } = example();
    const addresses = await world.up(args);
    assert.deepEqual(
      Object.keys(addresses).sort(),
      example()
        .services.map(({ name }) => name)
        .sort(),
    );
    for (const address of Object.values(addresses)) assert.equal((await fetch(`http://${address}/health`)).ok, true);
    assert.equal(await operations.isAwake?.(context), true);
    assert.equal(await operations.explain?.(context), undefined);

    await operations.setAwake?.(context, false);
    const asleep = await operations.usage?.(context, { held: false });
    assert.equal(await operations.isAwake?.(context), false);
    assert.match((await operations.explain?.(context)) ?? "", /asleep/);
    await operations.setAwake?.(context, true);
    await operations.setAwake?.(context, true);
    assert.equal(await operations.isAwake?.(context), true);

    const lines: string[] = [];
    const query = { service: "web", tail: 1, follow: false, signal: new AbortController().signal };
    for await (const { text } of operations.logs?.(context, query) ?? []) lines.push(text);
    assert.deepEqual(lines, ["listening"]);

    const owned = (await operations.owned?.(world.options, STACK)) ?? [];
    assert.ok(owned.some(({ kind }) => kind === "process"));
    // Counters only rise, also over sleep, wake and its end; what it held goes with it.
    const awake = await operations.usage?.(context, { held: true });
    await world.destroy();
    const gone = await operations.usage?.(context, { held: true });
    const hoursOf = (usage: typeof gone) => usage?.counters.reduce((sum, { hours }) => sum + hours, 0) ?? 0;
    assert.ok(hoursOf(asleep) <= hoursOf(awake) && hoursOf(awake) <= hoursOf(gone));
    if (awake) assert.ok(awake.held.every(({ gib }) => gib > 0));
    assert.deepEqual(gone?.held ?? [], []);
    assert.deepEqual(await operations.owned?.(world.options, STACK), []);
  });

  it("removes what no stack knows of, and is content when it is gone", async () => {
    const { operations, example } = await load();
    const { options: _options, source: _source, ...args } = example();
    await world.up(args);
    const owned = (await operations.owned?.(world.options, STACK)) ?? [];
    for (const thing of [...owned, ...owned]) await operations.remove?.(world.options, thing);
    assert.deepEqual(await operations.owned?.(world.options, STACK), []);
  });

  it("says what it finds on the machine", async () => {
    const { operations } = await load();
    for (const { ok, remedy } of (await operations.check?.(world.options)) ?? []) assert.ok(ok || remedy);
  });
}

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
