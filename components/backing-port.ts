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
