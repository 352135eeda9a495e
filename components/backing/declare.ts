/** What every driver does that gives previews a part of a server they share. */
import { type ComponentResourceOptions, type Output, output, secret } from "@pulumi/pulumi";
import type { BackingName } from "../local/backing.ts";
import type { BackingKind } from "../local/backing-kind.ts";
import { LocalBacking } from "../local/custom-resources.ts";
import type { Finding, Operations } from "../operations.ts";
import type { BackingArgs, BackingComponent, BackingDriver } from "../ports.ts";
import { PreviewComponent } from "../preview-component.ts";

/** One kind of server, as its driver file describes it. */
export interface Backing<O> {
  readonly kind: BackingName;
  /** `stackling:backing:Redis` */
  readonly type: `stackling:backing:${string}`;
  readonly options: BackingDriver<O>["options"];
  readonly part: BackingKind<O>;
  readonly kinds: readonly string[];
  readonly gives: readonly string[];
  readonly placedBy: readonly (keyof O & string)[];
  readonly check: (options: O) => Promise<readonly Finding[]>;
  readonly example: BackingDriver<O>["example"];
}

export function backingDriver<O extends Readonly<Record<string, unknown>>>(backing: Backing<O>): BackingDriver<O> {
  const { kind, type, options, part, kinds, gives, placedBy, check, example } = backing;

  class Part extends PreviewComponent implements BackingComponent {
    readonly values: Output<Readonly<Record<string, string>>>;
    readonly addresses: Output<readonly string[]>;

    constructor(name: string, args: BackingArgs<O>, opts?: ComponentResourceOptions) {
      super(type, name, {}, opts);
      const { topics = [], generation } = args;
      const inputs = { kind, options: { ...args.options }, placedBy, topics, generation };
      // The other place may be the same one by another address, and the new login bears the old one's name.
      const declared = new LocalBacking(this.childName("part"), inputs, { parent: this, deleteBeforeReplace: true });
      this.values = output(secret(declared.values));
      this.addresses = output(declared.addresses);
      this.registerOutputs({ values: this.values, addresses: this.addresses });
    }
  }

  const operations: Operations<O> = {
    kinds,
    owned: (given, stack) => part.list(given, stack),
    // One thing is of no use without the others.
    remove: (given, thing) => part.revoke(given, thing.stack),
    check,
  };
  return { options, component: Part, operations, example, gives, placedBy };
}
