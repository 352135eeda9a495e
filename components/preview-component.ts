import { ComponentResource, type ComponentResourceOptions, type Inputs } from "@pulumi/pulumi";

/** Names become part of URNs, DNS labels and database names: one alphabet fits them all. */
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * Base of every component here. It enforces what a reviewer would otherwise have to look for: a type
 * token of our package and child names that begin with the component's own name, so that two
 * instances never clash and a rename is a conscious act (a child's name is its identity; renaming
 * one replaces somebody's database).
 */
export abstract class PreviewComponent extends ComponentResource {
  readonly #name: string;

  protected constructor(
    type: `stackling:${string}:${string}`,
    name: string,
    args: Inputs,
    opts?: ComponentResourceOptions,
  ) {
    if (!NAME.test(name)) {
      throw new Error(`creating ${type}: name "${name}" is not of the form ${NAME.source}`);
    }
    super(type, name, args, opts);
    this.#name = name;
  }

  /** `<component>-<part>`, refused when the part breaks the alphabet. */
  protected childName(part: string): string {
    const child = `${this.#name}-${part}`;
    if (!NAME.test(child)) {
      throw new Error(`naming a child of "${this.#name}": "${child}" is not of the form ${NAME.source}`);
    }
    return child;
  }
}
