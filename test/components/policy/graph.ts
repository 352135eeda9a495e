/** What each registered driver declares for its own example, with the tags that a run would give it. */
import { type Output, runtime } from "@pulumi/pulumi";
import { registry } from "../../../components/registry.ts";
import { tagged } from "../../../infra/tags.ts";
import { aBranch, NEON_KEY, startNeonServer } from "../../support/neon-server.ts";

export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
  /** Reference of its provider; empty for one that nobody configured. */
  readonly provider: string;
}

interface AnyDriver {
  readonly component: new (name: string, args: never) => { readonly urn: Output<string> };
  readonly example: () => { readonly options: object };
  readonly plugins?: readonly string[];
}

const STACK = "shop-pr-1";
const TAGS = { preview: "shop#1", repository: "shop", owner: "Ada Lovelace <ada@example.dev>", stack: STACK };
/** What the examples refer to. */
Object.assign(process.env, { NEON_API_KEY: NEON_KEY, CLOUDFLARE_API_TOKEN: "a token" });

/** `port/name` of every driver, with how it is loaded. */
export const drivers: readonly (readonly [string, () => Promise<AnyDriver>])[] = Object.entries(registry).flatMap(
  ([port, named]) => Object.entries(named).map(([name, load]) => [`${port}/${name}`, load] as const),
);

/** Vendors that are asked already while a preview is declared. */
const vendors: Readonly<Record<string, () => Promise<{ readonly options: object; close(): Promise<void> }>>> = {
  "database/neon": async () => {
    const server = await startNeonServer();
    server.branches.push(aBranch({ id: "br-main", name: "main" }));
    return { options: { apiUrl: server.url, parent: "main" }, close: () => server.close() };
  },
};

/** Its custom resources in a preview (dry run), where nothing waits for what only an update makes. */
export async function declare(called: string, driver: AnyDriver): Promise<readonly Declared[]> {
  const declared: Declared[] = [];
  const vendor = await vendors[called]?.();
  await runtime.setMocks({ call: () => ({}), newResource: (resource) => note(declared, resource) }, "p", STACK, true);
  try {
    const { options, ...example } = driver.example();
    const args: unknown = { ...example, options: { ...options, ...vendor?.options }, stack: STACK, tags: TAGS };
    const { urn } = new driver.component("shop", args as never);
    await new Promise((resolve) => urn.apply(resolve));
    await runtime.disconnect();
    return declared;
  } finally {
    await vendor?.close();
  }
}

function note(declared: Declared[], { type, name, inputs, custom, provider = "" }: runtime.MockResourceArgs) {
  if (custom) {
    const transformed = tagged({ custom, type, name, props: inputs, opts: {} }, TAGS);
    declared.push({ type, name, provider, props: { ...(transformed?.props ?? inputs) } });
  }
  return { id: `id-of-${name}`, state: { ...inputs, arn: `arn:of:${name}` } };
}
