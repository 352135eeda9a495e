import { runtime } from "@pulumi/pulumi";
import { tagged } from "../../../infra/tags.ts";

/** A resource as a program registered it. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly provider: string;
}

export interface Graph {
  readonly all: readonly Declared[];
  /** The one resource of this type, or of this name. */
  one(which: string): Declared;
  of(type: string): readonly Declared[];
}

const TAGS = { platform: "prod" };

/** What `declare` registers on Pulumi's mocks, with the tags of the platform; outputs given by type are added. */
export async function graphOf(
  declare: () => unknown,
  outputs: Readonly<Record<string, Record<string, unknown>>> = {},
): Promise<Graph> {
  const all: Declared[] = [];
  await runtime.setMocks(
    {
      call: ({ token }) =>
        token === "aws:index/getCallerIdentity:getCallerIdentity" ? { accountId: "123456789012" } : {},
      newResource: ({ type, name, inputs, provider = "", custom = false }) => {
        // Mocks know no transforms, so what the program's would do is done here.
        const props = tagged({ type, name, custom, props: inputs, opts: {} }, TAGS)?.props ?? inputs;
        all.push({ type, name, inputs: props, provider });
        const arn = `arn:aws:mock:eu-central-1:123456789012:${name}`;
        return { id: `${name}-id`, state: { arn, name, ...inputs, ...outputs[type] } };
      },
    },
    "stackling-platform",
    "prod",
  );
  await declare();
  await runtime.disconnect();
  const find = (which: string) => all.filter(({ type, name }) => type === which || name === which);
  return {
    all,
    of: find,
    one: (which) => {
      const [found, ...more] = find(which);
      if (!found || more.length > 0) throw new Error(`"${which}" is there ${more.length + (found ? 1 : 0)} times`);
      return found;
    },
  };
}
