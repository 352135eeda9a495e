/** Tells workflows what came of a commit, by GitHub's event `repository_dispatch`. */
import { type ReadyEvent, readyMark } from "../ready-event.ts";
import type { GithubPart } from "./github-announce.ts";
import { REFUSED } from "./github-client.ts";

/**
 * Once for each commit and outcome; after a kill between sending and remembering it, once more. Source: REST API,
 * "Create a repository dispatch event".
 */
export const announceEvent: GithubPart = async ({ client, readyEvent }, input) => {
  const { announcement, handles, repository } = input;
  const { event, key } = announcement;
  if (readyEvent === undefined || !event) return {};
  const mark = readyMark(event);
  if (handles.dispatched === mark) return {};
  const { status } = await client.call({
    repository,
    method: "POST",
    path: "/dispatches",
    body: { event_type: readyEvent, client_payload: payloadOf(event) },
    action: `sending the event of "${key}"`,
    statuses: REFUSED,
  });
  return { dispatched: mark, dispatchRefused: status >= 400 ? String(status) : undefined };
};

/** GitHub takes ten properties and no more at the top; the others stand under `details`. */
export function payloadOf(sent: ReadyEvent): Readonly<Record<string, unknown>> {
  const { event, key, repository, number, gitBranch, commit, url, urls, pageUrl, ...details } = sent;
  return { event, key, repository, number, gitBranch, commit, url, urls, pageUrl, details };
}
