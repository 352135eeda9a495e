/** The port of servers that previews share: each gets a part of its own there. Part of ports.ts. */
import type { Output } from "@pulumi/pulumi";
import type { Driver, Tags } from "./ports.ts";
import type { PreviewComponent } from "./preview-component.ts";

export interface BackingArgs<O = unknown> {
  readonly stack: string;
  readonly tags: Tags;
  readonly options: O;
  /** Names, below the preview's prefix, of what shall be there from the start where the server has such: Kafka's topics. */
  readonly topics?: readonly string[];
  /** Raised to have its login made anew (`rotate`). */
  readonly generation: number;
}

/** A preview's own part of a server that previews share: a broker, a cache. */
export interface BackingComponent extends PreviewComponent {
  /** Secret. What reaches it, under the names that the driver's `gives` lists. */
  readonly values: Output<Readonly<Record<string, string>>>;
  /** `host:port` of every server that its application connects to; for firewalls. */
  readonly addresses: Output<readonly string[]>;
}

export interface BackingDriver<O = unknown> extends Driver<O, BackingArgs<O>, BackingComponent> {
  /** Names of its values. */
  readonly gives: readonly string[];
}

/**
 * Whether two values of an option that says where a server is lead to the same one: a cluster that is asked at several
 * addresses is the same as long as one of them is.
 */
export function isSamePlace(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return one.some((address) => other.includes(address));
  // Parsed by one schema, they have their keys in one order.
  return JSON.stringify(one) === JSON.stringify(other);
}
