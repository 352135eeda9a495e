/** Which pull requests get previews, as an operator writes it. */
import { z } from "zod";

const pathPatterns = z
  .array(
    z
      .string()
      .regex(
        /^(?!\.?\/|!).+$/s,
        'must be a pattern from the repository\'s root, such as "apps/shop/**": no slash first, and in place of "!" the other list',
      ),
  )
  .min(1);

export const pullRequestRules = z.strictObject({
  drafts: z.boolean().optional().describe("Whether drafts get previews. Default true."),
  bots: z.boolean().optional().describe("Whether pull requests of bots do. Default true."),
  label: z.string().min(1).optional().describe("Only pull requests with this label do. Default: all."),
  ignoreLabel: z.string().min(1).optional().describe("Those with this label do not. Default `no-preview`."),
  bases: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Patterns of git branches that they go into. Default `**`: all, so that stacked ones do too."),
  paths: pathPatterns
    .optional()
    .describe("Only pull requests that change a file matching one of these, such as `apps/shop/**`. Default: all."),
  ignorePaths: pathPatterns
    .optional()
    .describe("Files that do not count, whatever `paths` says, such as `docs/**`. Default: none."),
});
