/** The comment as one is to read it: by the operator's template, else in our own words. */
import type { Logger } from "pino";
import { renderComment } from "./comment/comment.ts";
import { previewFacts } from "./comment/facts.ts";
import { type CommentTemplate, readTemplate } from "./comment-template.ts";
import type { OperatorConfig } from "./config/types.ts";
import type { Preview } from "./status.ts";

export interface CommentsDeps {
  readonly config: Pick<
    OperatorConfig,
    "comments" | "commentTemplate" | "repositories" | "scheme" | "domain" | "fallbackUrl"
  >;
  readonly logger: Pick<Logger, "warn">;
}

export interface Comments {
  /** What stands on the pull request; undefined where comments are off. */
  posted(preview: Preview): Promise<string | undefined>;
  /** The same for pages, where there is one in any case. */
  shown(preview: Preview): Promise<string>;
}

export function createComments({ config, logger }: CommentsDeps): Comments {
  const { comments, commentTemplate, repositories, scheme, domain, fallbackUrl } = config;
  const own = new Map(repositories.map((repository) => [repository.name, repository.comments]));
  const options = { homeUrl: `${scheme}://${domain}`, fallbackUrl };
  let template: Promise<CommentTemplate | undefined> | undefined;

  /** The config was checked when it was read: a fault now is of this version or of these facts. */
  const templateOf = async (source: string) => {
    const read = await readTemplate(source);
    if ("render" in read) return read.render;
    logger.warn({ faults: read.faults }, "the template of comments cannot be used; comments are in the words built in");
    return undefined;
  };
  const shown = async (preview: Preview, verbosity: "full" | "short") => {
    template ??= commentTemplate === undefined ? Promise.resolve(undefined) : templateOf(commentTemplate.text);
    const render = await template;
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
    async posted(preview) {
      const verbosity = verbosityFor(preview);
      return verbosity === "off" ? undefined : shown(preview, verbosity);
    },
    shown(preview) {
      return shown(preview, verbosityFor(preview) === "short" ? "short" : "full");
    },
  };
}
