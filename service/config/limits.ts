/** `limits` of stackling.yaml: how much of everything there may be. */
import { z } from "zod";
import { defaultLimits } from "./defaults.ts";
import { parseDuration } from "./duration.ts";
import { count, duration } from "./scalars.ts";
import type { OperatorConfig } from "./types.ts";

export const limitsSchema = z.strictObject({
  engineRuns: count.optional().describe("Engine runs at once. Default 2."),
  memoryMiB: count.optional().describe("Memory the services of one preview may ask for together. Default 8192."),
  cpu: z.number().positive("must be more than 0").optional().describe("The same in CPUs. Default 4."),
  services: count.optional().describe("Services of one preview. Default 15."),
  diskFreeMiB: z
    .int()
    .min(0, "must be at least 0")
    .optional()
    .describe(
      "Nothing new is built while less of the data folder's disk is free. Default 1024, or 5 % of a smaller disk.",
    ),
  heldRequests: z
    .int()
    .min(0, "must be at least 0")
    .optional()
    .describe("Requests that are held at once while previews wake; more are told to come again. Default 512."),
  holdFor: duration
    .refine((text) => (parseDuration(text) ?? 0) <= 3600, "must be at most 1h")
    .optional()
    .describe("How long a request is held at most while its preview wakes. Default 90s."),
  checks: count.optional().describe("Smoke tests and gates of one preview together. Default 50."),
  checksFor: duration
    .refine((text) => (parseDuration(text) ?? 0) <= 3600, "must be at most 1h")
    .optional()
    .describe("How long all of them may take together, at each update. Default 15m."),
  webhookBytes: count.optional().describe("Largest delivery that is read. Default 25 MiB."),
  largeBodies: count.optional().describe("Deliveries over 1 MiB that are read at once. Default 4."),
  previews: count
    .optional()
    .describe("Live previews at once: awake, or being built. More wait in a queue. Default: any number."),
  previewsPerRepository: count.optional().describe("The same of one repository. Default: any number."),
  previewsPerAuthor: count
    .optional()
    .describe("The same of one author of pull requests, over all repositories. Default: any number."),
  makeRoom: z
    .boolean()
    .optional()
    .describe("Puts the idlest preview to sleep when another waits for room. Default false."),
  makeRoomAfter: duration
    .optional()
    .describe("With `makeRoom`: one that was visited or pushed to more lately stays awake. Default 15m."),
  checkoutFiles: count
    .optional()
    .describe("Files of one commit with its submodules, on targets that run the source. Default 300000."),
  checkoutMiB: count
    .optional()
    .describe("Their sizes together, before anything is installed or built; LFS objects do not count. Default 4096."),
});

export function limitsOf(limits: z.infer<typeof limitsSchema> = {}): OperatorConfig["limits"] {
  const { makeRoomAfter, holdFor, checksFor, ...typed } = limits;
  const makeRoomAfterSeconds = parseDuration(makeRoomAfter ?? "");
  const holdForSeconds = parseDuration(holdFor ?? "");
  const checksForSeconds = parseDuration(checksFor ?? "");
  return {
    ...defaultLimits,
    ...typed,
    ...(makeRoomAfterSeconds === undefined ? {} : { makeRoomAfterSeconds }),
    ...(holdForSeconds === undefined ? {} : { holdForSeconds }),
    ...(checksForSeconds === undefined ? {} : { checksForSeconds }),
  };
}
