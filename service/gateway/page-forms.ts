/** The words of each page that stands in for an application, by what its visitor meets. */
import type { Preview } from "../status.ts";
import type { Door } from "./door.ts";

export type PageKind = Exclude<Door, "serve"> | "starting" | "unreachable" | "unknown";

/** A page but for what is known of the preview. */
export interface PageForm {
  readonly status: 404 | 502 | 503;
  readonly title: string;
  readonly text: string;
  readonly mark: "busy" | "bad" | "still";
  /** Seconds until asking again is worth it; the page reloads itself. */
  readonly retryAfter?: number;
  /** The status says more than our own text. */
  readonly says?: boolean;
  /** Waiting helps nobody: the fallback is offered. */
  readonly offers?: boolean;
}

const FORMS: Readonly<Record<PageKind, PageForm>> = {
  building: {
    status: 503,
    title: "Building this preview",
    text: "The page opens by itself as soon as the application answers.",
    mark: "busy",
    retryAfter: 2,
    says: true,
  },
  waking: {
    status: 503,
    title: "Waking up",
    text: "This preview was asleep. It is back in a moment, with its data as it was.",
    mark: "busy",
    retryAfter: 2,
  },
  starting: {
    status: 503,
    title: "Starting",
    text: "The application is being started. The page opens by itself as soon as it answers.",
    mark: "busy",
    retryAfter: 2,
  },
  asleep: {
    status: 503,
    title: "Asleep",
    text: "This preview sleeps until a person visits it. Its data and its link are kept.",
    mark: "still",
    retryAfter: 30,
  },
  failed: {
    status: 503,
    title: "This preview could not be built",
    text: "The link opens as soon as a version of it starts.",
    mark: "bad",
    says: true,
  },
  blocked: {
    status: 503,
    title: "This preview is held back",
    text: "The page opens by itself once it is allowed and built.",
    mark: "still",
    retryAfter: 15,
    says: true,
    offers: true,
  },
  paused: {
    status: 503,
    title: "Previews are stopped",
    text: "Whoever runs them has stopped all of them for now. Data and links are kept; the page opens by itself when they go on.",
    mark: "still",
    retryAfter: 15,
    offers: true,
  },
  unreachable: {
    status: 502,
    title: "The application does not answer",
    text: "It may have stopped or be restarting. The page tries again by itself.",
    mark: "bad",
    retryAfter: 5,
  },
  closing: {
    status: 404,
    title: "This preview is being removed",
    text: "Its pull request was closed, or it was taken down.",
    mark: "still",
    offers: true,
  },
  gone: {
    status: 404,
    title: "This preview is gone",
    text: "Its pull request was closed, or it was taken down. Reopening the pull request brings it back.",
    mark: "still",
    offers: true,
  },
  unknown: {
    status: 404,
    title: "No preview here",
    text: "No preview has this address. It may have been removed after its pull request was closed.",
    mark: "still",
    offers: true,
  },
};

/** It has a place, which its own message names, and a reload every other second does not move it. */
const QUEUED = { title: "Waiting for its turn", retryAfter: 10, says: true } as const;

/** Where the preview itself knows more: its place in the queue, why it is gone and how it comes back. */
export function formFor(kind: PageKind, preview: Preview | undefined): PageForm {
  const form = FORMS[kind];
  const { reason, goneReason, message } = preview?.status ?? {};
  if ((kind === "building" || kind === "waking") && reason === "Queued") {
    const text = kind === "waking" ? "Its data and its link are kept. The page opens by itself." : form.text;
    return { ...form, ...QUEUED, text, mark: "still" };
  }
  if (kind === "paused" && reason === "OverBudget") {
    return { ...form, title: "This preview is stopped", text: "The page opens by itself when it goes on.", says: true };
  }
  // Only of a closed one the message leaves out how it comes back.
  if (kind === "gone" && goneReason !== undefined && goneReason !== "Closed" && message) {
    return { ...form, text: message, ...(goneReason === "Expired" ? { title: "This preview has expired" } : {}) };
  }
  return form;
}
