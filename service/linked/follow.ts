/** Between the previews of linked pull requests: each is looked at when what concerns it changes at the other. */
import { canonical } from "../../infra/canonical.ts";
import { formatKey } from "../../infra/names.ts";
import type { PullRequest } from "../forges/forge.ts";
import type { Preview } from "../status.ts";
import type { Store } from "../store/store.ts";
import { distrustOf } from "../trust.ts";
import type { Look } from "../wish.ts";
import { linksInUse } from "./links.ts";
import { waitsOf } from "./waits.ts";

type Linking = Pick<Preview, "key" | "status">;
type Naming = Pick<Preview, "status"> & Partial<Pick<Preview, "pullRequest">>;
type Open = Pick<PullRequest, "number" | "headSha" | "author">;

/** Told before it is recorded: killed in between, the next look at the pull request tells it again. */
export async function followLinks(
  { store, now }: { readonly store: Pick<Store, "current" | "enqueue">; readonly now: () => string },
  look: Look,
): Promise<void> {
  const { preview, known, subject, repository } = look;
  if (subject.kind !== "pullRequest") return;
  const isSame = known && preview.pullRequest && factsOf(preview.pullRequest) === factsOf(subject.pullRequest);
  if (isSame && !(repository?.approval && repository.linkedBy)) return;
  const current = await store.current();
  const keys = isSame ? waitingOtherwise(current, look, now()) : linkedTo(current, preview.key);
  if (keys.length > 0) await store.enqueue(keys);
}

/** Keys of the previews that took it for waiting by its rule where it does no more, or for something else. */
function waitingOtherwise(
  previews: readonly Linking[],
  { preview, known, subject, repository }: Look,
  now: string,
): readonly string[] {
  if (subject.kind !== "pullRequest" || !repository) return [];
  const { pullRequest, approval } = subject;
  const waits = waitsOf({ repository, pullRequest, approval, record: known ? preview : undefined, now });
  if (waits && "unread" in waits) return [];
  const isOther = ({ status }: Linking) =>
    linksInUse(status.links).some(
      (link) => link.key === preview.key && canonical(link.waits ?? {}) !== canonical(waits ?? {}),
    );
  return previews.filter(isOther).map(({ key }) => key);
}

/**
 * Has those looked at that it names since now or no more: their comments say so. Told behind the record, which they
 * read; killed in between, their own next look finds it.
 */
export async function tellNamed(
  { store }: { readonly store: Pick<Store, "enqueue"> },
  before: Naming,
  after: Naming,
): Promise<void> {
  const [then, now] = [namedBy(before), namedBy(after)];
  const changed = [...then, ...now].filter((key) => then.includes(key) !== now.includes(key));
  if (changed.length > 0) await store.enqueue(changed);
}

/** Keys of the open pull requests in whose previews the head of that key runs; a stranger's line speaks for nobody else. */
export function runsIn(previews: readonly (Naming & Pick<Preview, "key">)[], key: string): readonly string[] {
  return previews.filter((preview) => namedBy(preview).includes(key)).map((preview) => preview.key);
}

/** The same as comment and chat say it; only a pull request is named by others. */
export async function placesOf(
  { current }: Pick<Store, "current">,
  { key, number }: Pick<Preview, "key" | "number">,
): Promise<readonly string[]> {
  return number === undefined ? [] : runsIn(await current(), key);
}

function namedBy({ pullRequest, status }: Naming): readonly string[] {
  if (pullRequest?.state !== "open" || distrustOf(pullRequest) !== undefined) return [];
  return linksInUse(status.links).map(({ key }) => key);
}

/** Keys of the previews whose descriptions name it. */
function linkedTo(previews: readonly Linking[], key: string): readonly string[] {
  const isLinked = ({ status }: Linking) => status.links?.some((link) => link.key === key) ?? false;
  return previews.filter(isLinked).map((preview) => preview.key);
}

/** Of previews that name pull requests of this repository, those that have seen something else than what is open now. */
export function linkNews(
  previews: readonly (Linking & Naming)[],
  repository: string,
  open: readonly Open[],
): readonly string[] {
  const found = new Map(open.map((one) => [formatKey({ repository, number: one.number }), one]));
  const isNews = ({ status, pullRequest }: Naming) => {
    const isStranger = pullRequest !== undefined && distrustOf(pullRequest) !== undefined;
    return (status.links ?? []).some(({ key = "", headSha }) => {
      const now = found.get(key);
      // Somebody else's, which a stranger's preview never takes.
      if (headSha === undefined && isStranger && now?.author !== pullRequest.author) return false;
      return key.startsWith(`${repository}#`) && now?.headSha !== headSha;
    });
  };
  return previews.filter(isNews).map(({ key }) => key);
}

function factsOf({ headSha, state, merged, fork, trustedAuthor, baseRef }: PullRequest): string {
  return JSON.stringify([headSha, state, merged, fork, trustedAuthor, baseRef]);
}
