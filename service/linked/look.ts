/** What a look notes of the pull requests that one is previewed with. Pure. */
import type { NewPreview } from "../adopt.ts";
import type { ApplicationRead, SubjectRead } from "../policy.ts";
import { type LinkSeen, linkedCommits } from "./links.ts";

/** What a look saw of them; undefined: nothing, for what could not be read says nothing. */
export function linksSeen({
  subject,
  application,
}: {
  readonly subject: SubjectRead;
  readonly application: ApplicationRead | undefined;
}): readonly LinkSeen[] | undefined {
  if (application?.kind === "found") return application.links ?? [];
  // That a description names none needs no preview.yaml, which is not read while the pull request waits.
  return subject.kind === "pullRequest" && !subject.pullRequest.previewWith?.length ? [] : undefined;
}

/** A push to one of them is use of the preview, as a push of its own is; so is a line more or less. */
export function withLinks<F extends Partial<NewPreview> & Pick<NewPreview, "status">>(
  facts: F,
  {
    preview,
    links,
    now,
  }: { readonly preview: NewPreview; readonly links: readonly LinkSeen[] | undefined; readonly now: string },
): F {
  if (!links) return facts;
  const before = preview.status.links;
  const heads = (seen: typeof before) => JSON.stringify(linkedCommits(seen) ?? {});
  const isOther = heads(before) !== heads(links);
  const moved = before !== undefined && isOther;
  return {
    ...facts,
    ...(moved ? { lastPushAt: now } : {}),
    status: {
      ...facts.status,
      links: links.length > 0 ? links : undefined,
      ...(isOther ? { linksAt: now } : {}),
    },
  };
}
