/** Where the banner is off: by the operator's word, the application's, or both. */
import { formatKey } from "../../../infra/names.ts";
import type { BannerConfig } from "../../config/banner.ts";
import type { OperatorConfig } from "../../config/types.ts";
import { globToRegExp } from "../../forges/glob.ts";
import type { Preview } from "../../status.ts";

export type BannerRules = readonly (false | readonly RegExp[])[];

/** Nobody writes a rule for a longer one, and each wildcard may look through all of it. */
const PATH_MAX = 2_048;

/** Rules of a preview, compiled once for all that have the same. */
export function rulesFor({ banner, repositories }: Pick<OperatorConfig, "banner" | "repositories">) {
  const everywhere = compiled(banner);
  const own = new Map(
    repositories.flatMap(({ name, banner: said, stages = {} }) => [
      ...(said === undefined ? [] : [[name, compiled(said)] as const]),
      ...Object.values(stages).flatMap((stage) =>
        stage.banner === undefined
          ? []
          : [[formatKey({ repository: name, stage: stage.name }), compiled(stage.banner)] as const],
      ),
    ]),
  );
  const ofApplications = new WeakMap<object, BannerRules>();
  return ({
    key = "",
    repository,
    status: { live },
  }: Pick<Preview, "repository" | "status"> & Partial<Pick<Preview, "key">>): BannerRules => {
    const operators = own.get(key) ?? own.get(repository) ?? everywhere;
    if (live?.banner === undefined) return operators;
    const found = ofApplications.get(live) ?? [...operators, ...compiled(live.banner)];
    ofApplications.set(live, found);
    return found;
  };
}

/** @param url path and query as asked for */
export function isOffAt(rules: BannerRules, url: string): boolean {
  if (rules.length === 0) return false;
  const end = url.indexOf("?");
  const path = (end === -1 ? url : url.slice(0, end)).slice(0, PATH_MAX);
  return rules.some((rule) => rule === false || rule.some((pattern) => pattern.test(path)));
}

function compiled(said: BannerConfig | undefined): BannerRules {
  if (said === undefined || said === true) return [];
  return [said === false ? false : said.off.flatMap(patternsOf)];
}

/** One that ends in a name, or in `/**`, means that and all below it. */
function patternsOf(pattern: string): readonly RegExp[] {
  const folder = pattern.replace(/\/(\*\*)?$/, "");
  const isFolder = folder !== pattern || !/[*?][^/]*$/.test(pattern);
  return (isFolder ? [folder || "/", `${folder}/**`] : [pattern]).map(globToRegExp);
}
