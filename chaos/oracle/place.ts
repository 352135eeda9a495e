/** What the oracle is told: where to look, and nothing of what Stackling itself believes. */
import { z } from "zod";

const local = z.strictObject({
  kind: z.literal("local"),
  /** As in `stackling.yaml`; stacks and hosts are named after it. */
  name: z.string(),
  /** Folder of the git repository. Every branch but `base` is an open pull request. */
  path: z.string(),
  base: z.string().default("main"),
});

const github = z.strictObject({
  kind: z.literal("github"),
  name: z.string(),
  /** `acme/shop` */
  path: z.string(),
  /** Of the REST API. */
  baseUrl: z.url(),
  token: z.string(),
});

export const placeSchema = z.strictObject({
  /** Absolute path of the data folder, as the service was given it. */
  dataDir: z.string().startsWith("/"),
  /** Where the gateway listens on 127.0.0.1; without it no host is asked. */
  port: z.int().positive().optional(),
  domain: z.string().default("localhost"),
  repositories: z.array(z.discriminatedUnion("kind", [local, github])).min(1),
  /** Path that is asked for on every preview's main host. */
  page: z.string().startsWith("/").default("/"),
  /** Text that the page of a preview must hold, by key (`shop#42`); by default its head commit. */
  serves: z.record(z.string(), z.string()).default({}),
  /** Keys of open pull requests that get no preview on purpose: a draft, a fork nobody approved. */
  without: z.array(z.string()).default([]),
  /** Keys of previews that no pull request stands for: `shop@branch`, made by hand. */
  byHand: z.array(z.string()).default([]),
});

/** As the oracle works with it. */
export type Place = z.output<typeof placeSchema>;
/** As it is typed, with defaults left out. */
export type PlaceInput = z.input<typeof placeSchema>;
export type Repository = Place["repositories"][number];
