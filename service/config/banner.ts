/** Where previews carry the banner, as both config files say it. */
import { z } from "zod";
import type { RepositoryConfig } from "./repository-types.ts";
import { isPastGateway } from "./target-fit.ts";
import type { TargetConfig } from "./types.ts";
import type { Misfit } from "./yaml-file.ts";

const WILDCARDS_MAX = 2;

const path = z
  .string()
  .startsWith("/", 'must begin with "/"')
  .max(200, "must have at most 200 characters")
  .refine(
    (pattern) => (pattern.match(/\*+|\?/g) ?? []).length <= WILDCARDS_MAX,
    `may have at most ${WILDCARDS_MAX} wildcards`,
  );

export const bannerRule = z
  .union([
    z.boolean(),
    z.strictObject({
      off: z
        .array(path)
        .min(1, "must name at least one path")
        .describe("Paths without a banner; `/**` ends those below."),
    }),
  ])
  .describe(
    "Whether pages carry the banner that says what preview this is; `{off: [/embed, /print/**]}`: on these paths and below them they carry none. Default true.",
  );

export type BannerConfig = z.infer<typeof bannerRule>;

export interface BannerAround {
  readonly repositories: readonly RepositoryConfig[];
  readonly banner: BannerConfig | undefined;
  readonly targets: readonly { readonly target?: TargetConfig }[];
}

/** Banners that were asked for where nobody could put them in. */
export function bannerMisfits({ repositories, banner: everywhere, targets }: BannerAround): readonly Misfit[] {
  return repositories.flatMap(({ path: repository, target, banner = everywhere }, index) => {
    const found = targets.find((one) => one.target?.name === target)?.target;
    if (!banner || !found || !isPastGateway(found)) return [];
    const message = `repository "${repository}": the target "${target}" has \`edge: direct\`, past the gateway that puts the banner in; write \`banner: false\` for this repository, or take another edge`;
    return [{ path: ["repositories", index], message }];
  });
}
