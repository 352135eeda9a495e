/** What the banner says and offers, from what is known of a preview. Pure. Nothing of it is a secret: the preview's own scripts can read it. */
import { pageUrl } from "../../addresses.ts";
import type { PreviewView } from "../../api/preview-view.ts";
import { LOGIN_PATH, LOGOUT_PATH } from "../access/own-paths.ts";
import { type QrCode, qrCodeOf } from "./qr.ts";

export interface BannerFacts {
  /** `shop#42` */
  readonly key: string;
  readonly title?: string;
  /** What serves now. */
  readonly commit?: { readonly short: string; readonly url?: string };
  /** What a visitor should know of what he sees; absent where it is the newest commit, up and running. */
  readonly notice?: BannerNotice;
  /** Of this preview, for as long as it lives. */
  readonly remarks: readonly string[];
  readonly database?: { readonly branch: string; readonly scenario?: string };
  readonly links: readonly { readonly name: string; readonly url: string }[];
  readonly users: readonly { readonly title: string; readonly url: string }[];
  readonly code?: QrCode;
}

export interface BannerNotice {
  readonly tone: "busy" | "bad" | "still";
  readonly text: string;
}

export interface BannerSubject {
  readonly view: PreviewView;
  /** Address of the service that the visitor looks at. */
  readonly url: string;
  /** Where Stackling's own pages are. */
  readonly homeUrl: string;
  /** Something stands before it, which the visitor passed. */
  readonly hasDoor?: boolean;
}

/** The rest is on a page of its own. */
const USERS_SHOWN = 6;

export function bannerFacts({ view, url, homeUrl, hasDoor = false }: BannerSubject): BannerFacts {
  const { key, title, commit, commitUrl, database, scenario, pullRequestUrl } = view;
  const page = pageUrl(homeUrl, key);
  const isHere = view.stage !== "Gone" && view.stage !== "Closed";
  return {
    key,
    title,
    commit: commit === undefined ? undefined : { short: commit.slice(0, 7), url: commitUrl },
    notice: noticeOf(view),
    remarks: remarksOf(view),
    database: database === undefined ? undefined : { branch: database, scenario },
    links: [
      ...(pullRequestUrl === undefined ? [] : [{ name: "Pull request", url: pullRequestUrl }]),
      { name: "Logs", url: `${page}#log` },
      ...(view.inboxes ?? []).map((inbox) => ({ name: `Inbox: ${inbox.name}`, url: inbox.url })),
      { name: "Status", url: page },
      ...(database !== undefined && isHere ? [{ name: "Reset database", url: `${page}#do-reset-db` }] : []),
      ...(hasDoor ? [{ name: "Log out", url: LOGOUT_PATH }] : []),
    ],
    users: isHere ? usersOf(view, url) : [],
    code: qrCodeOf(url),
  };
}

function usersOf({ login, url: mainUrl }: PreviewView, url: string): BannerFacts["users"] {
  const users = login?.users ?? [];
  // On the main host; there, the way stays where the visitor is, whatever port he came by.
  const at = (path: string) => (mainUrl === undefined || mainUrl === url ? path : new URL(path, mainUrl).href);
  const shown = users
    .slice(0, USERS_SHOWN)
    .map(({ name, title }) => ({ title, url: at(`${LOGIN_PATH}?${new URLSearchParams({ as: name })}`) }));
  return users.length > shown.length ? [...shown, { title: `all ${users.length}`, url: at(LOGIN_PATH) }] : shown;
}

function noticeOf(view: PreviewView): BannerNotice | undefined {
  const { stage, condition, reason, commit, headSha, awaitsApproval } = view;
  if (stage === "Gone") return { tone: "bad", text: "This preview is gone." };
  if (stage === "Closed") return { tone: "bad", text: "This preview is being removed." };
  if (!view.awake) return { tone: "still", text: "This preview fell asleep. Reload the page to wake it." };
  const newest = headSha !== undefined && headSha !== commit ? headSha.slice(0, 7) : undefined;
  if (awaitsApproval !== undefined) {
    return { tone: "still", text: `Commit ${awaitsApproval.slice(0, 7)} is newer and waits for approval.` };
  }
  if (condition === "Stalled") {
    const what = newest ? `Commit ${newest} is newer, but did not come up.` : "The last update did not work.";
    return { tone: "bad", text: `${what} The version before it goes on serving.` };
  }
  if (condition === "Ready") {
    return newest ? { tone: "still", text: `Commit ${newest} is newer, but this one was chosen to serve.` } : undefined;
  }
  const waits = reason === "Queued" ? "waits for its turn" : "is being built";
  return { tone: "busy", text: newest ? `Commit ${newest} is newer and ${waits}.` : `An update ${waits}.` };
}

function remarksOf({ untrusted, egress, linked = [] }: PreviewView): readonly string[] {
  const remarks = linked.map(({ said, commit }) => `With ${said} at ${commit.slice(0, 7)}.`);
  if (untrusted) {
    const apart = untrusted.isolated ? "" : " It is not kept apart from the service that runs it.";
    remarks.push(`Not trusted: from a fork or an outsider, without the team's secrets.${apart}`);
  }
  if (egress === "advisory") remarks.push("Egress advisory: its calls to the outside are not held back here.");
  return remarks;
}
