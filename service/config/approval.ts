/** `repositories[].approval`: what a commit waits for before it runs, as an operator writes it and as it is used. */
import { z } from "zod";
import { parseDuration } from "./duration.ts";

const REQUIRED_MAX = 10;

export const approvalRule = z
  .strictObject({
    required: z
      .int()
      .min(1)
      .max(REQUIRED_MAX)
      .optional()
      .describe("How many people must approve a commit, each of whom may write and none of whom opened it."),
    by: z
      .array(z.string().min(1).max(200))
      .min(1)
      .optional()
      .describe(
        "Whose approvals count: logins of the forge, or names as the audit has them. Default: all of the forge who may write, and who holds the printed link or the instance's token.",
      ),
    wait: z
      .string()
      .refine((text) => parseDuration(text) !== undefined, 'must be a time such as "30m", "1h" or "2d"')
      .optional()
      .describe("How long a commit waits after its push, such as `10m`. Default: 0."),
    environment: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe("GitHub environment whose required reviewers and wait timer hold as well."),
  })
  .refine((rule) => rule.by === undefined || rule.required !== undefined, {
    path: ["by"],
    message: 'says whose approvals count, and none are asked for: add "required"',
  })
  .refine((rule) => Object.keys(rule).length > 0, 'asks for nothing: give "required", "wait" or "environment"')
  .describe(
    "What each commit of a pull request waits for before it runs; what serves goes on serving. Default: nothing.",
  );

export interface ApprovalConfig {
  /** 0: nobody need approve it. */
  readonly required: number;
  /** As the audit has them, `@login` for those of the forge. Undefined: all who may write. */
  readonly by?: readonly string[];
  /** From the push on. */
  readonly waitSeconds: number;
  readonly environment?: string;
}

export function approvalOf({ required = 0, by, wait, environment }: z.infer<typeof approvalRule>): ApprovalConfig {
  return {
    required,
    ...(by ? { by: by.map((name) => (/@|^token /.test(name) ? name : `@${name}`)) } : {}),
    waitSeconds: parseDuration(wait ?? "") ?? 0,
    ...(environment === undefined ? {} : { environment }),
  };
}
