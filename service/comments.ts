/** The comment as one is to read it: by the operator's template, else in our own words. */
import type { Logger } from "pino";
import { renderComment } from "./comment/comment.ts";
import { previewFacts } from "./comment/facts.ts";
import { type CommentTemplate, readTemplate } from "./comment-template.ts";
import type { OperatorConfig } from "./config/types.ts";
import { placesOf } from "./linked/follow.ts";
import type { Budgets } from "./money/budgets/budgets.ts";
import type { Costs } from "./money/costs.ts";
import { type CostFact, costFact } from "./money/said.ts";
import type { Preview } from "./status.ts";
import type { Store } from "./store/store.ts";

export interface CommentsDeps {
  readonly store: Pick<Store, "current">;
  readonly config: Pick<
    OperatorConfig,
    "comments" | "commentTemplate" | "repositories" | "scheme" | "domain" | "fallbackUrl"
  >;
  readonly logger: Pick<Logger, "warn">;
  /** Absent: no word of money. */
  readonly costs?: Pick<Costs, "of">;
  readonly budgets?: Pick<Budgets, "of">;
}

export interface Comments {
  /** What stands on the pull request, with the cost that it is to say; undefined where comments are off. */
  posted(preview: Preview, cost?: CostFact): Promise<string | undefined>;
  /** The same for pages, where there is one in any case. */
  shown(preview: Preview): Promise<string>;
}

export function createComments({ store, config, logger, costs, budgets }: CommentsDeps): Comments {
  const { comments, commentTemplate, repositories, scheme, domain, fallbackUrl } = config;
  const own = new Map(repositories.map((repository) => [repository.name, repository.comments]));
  const everywhere = { homeUrl: `${scheme}://${domain}`, fallbackUrl };
  let template: Promise<CommentTemplate | undefined> | undefined;

  /** The config was checked when it was read: a fault now is of this version or of these facts. */
  const templateOf = async (source: string) => {
    const read = await readTemplate(source);
    if ("render" in read) return read.render;
    logger.warn({ faults: read.faults }, "the template of comments cannot be used; comments are in the words built in");
    return undefined;
  };
  const shown = async (
    preview: Preview,
    { verbosity, cost }: { verbosity: "full" | "short"; cost: CostFact | undefined },
  ) => {
    template ??= commentTemplate === undefined ? Promise.resolve(undefined) : templateOf(commentTemplate.text);
    const render = await template;
    const options = { ...everywhere, runsIn: await placesOf(store, preview), cost, budget: await budgets?.of(preview) };
    try {
      if (render) return render(previewFacts(preview, options));
    } catch (error) {
      logger.warn(
        { key: preview.key, err: error },
        "the template of comments failed; this one is in the words built in",
      );
    }
    return renderComment(preview, { ...options, verbosity });
  };
  const verbosityFor = ({ repository }: Preview) => own.get(repository) ?? comments;

  return {
    async posted(preview, cost) {
      const verbosity = verbosityFor(preview);
      return verbosity === "off" ? undefined : shown(preview, { verbosity, cost });
    },
    async shown(preview) {
      const cost = await costs?.of(preview);
      const verbosity = verbosityFor(preview) === "short" ? "short" : "full";
      return shown(preview, { verbosity, cost: cost && costFact(cost) });
    },
  };
}
