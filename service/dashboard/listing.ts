/** Which of many previews the list shows, in which order, and the addresses of all that. Pure. */
import { isStage, mainUrlOf } from "../../infra/names.ts";
import type { PreviewEnds } from "../api/preview-ends.ts";
import { stageOf } from "../api/preview-view.ts";
import { CONDITIONS, type Condition, type Preview, STAGES, type Stage } from "../status.ts";

/** Rendering more at once would hold up everything else, for every page that is open. */
const PAGE = 200;

const COLUMNS = [
  "status",
  "repository",
  "pull",
  "author",
  "age",
  "visit",
  "expires",
  "cost",
  "commit",
  "link",
] as const;
export type Column = (typeof COLUMNS)[number];

export const STRANGERS_COLUMNS: readonly Column[] = ["status", "repository", "pull", "link"];

/** What the address asks for; an empty text asks for nothing. */
export interface ListWish {
  /** In key, title, branch or author, in any case. */
  readonly q: string;
  readonly repository: string;
  readonly author: string;
  readonly status: Condition | "";
  /** Empty: all but Gone. */
  readonly stage: Stage | "";
  /** `BuildFailed` and the like. */
  readonly reason: string;
  readonly sort: Column;
  readonly descending: boolean;
  /** From 1. */
  readonly page: number;
}

export interface Listing {
  readonly wish: ListWish;
  /** Of this page. */
  readonly previews: readonly Preview[];
  /** That were asked for, over all pages. */
  readonly total: number;
  /** From 1. */
  readonly page: number;
  readonly pages: number;
  readonly counts: ListCounts;
  /** Long-lived ones, which stand apart from previews of pull requests. */
  readonly stages: readonly Preview[];
  /** Those that wait for their turn, longest first. */
  readonly queue: readonly Preview[];
  /** To choose from. */
  readonly repositories: readonly string[];
  readonly authors: readonly string[];
}

/** Of those that are there, whatever was asked for. */
export interface ListCounts {
  readonly here: number;
  readonly active: number;
  readonly asleep: number;
  readonly stalled: number;
}

/** What it cost this month; undefined where nothing was counted. */
export type CostOf = (key: string) => number | undefined;

export type EndsOf = (preview: Preview) => PreviewEnds | undefined;

const NO_WISH: ListWish = {
  q: "",
  repository: "",
  author: "",
  status: "",
  stage: "",
  reason: "",
  sort: "age",
  descending: false,
  page: 1,
};
const TEXT_MAX = 200;

/** As the address says; what it says wrongly is not asked for. */
export function readListing(query: Readonly<Record<string, unknown>>): ListWish {
  const text = (name: string) => {
    const value = query[name];
    return typeof value === "string" ? value.trim().slice(0, TEXT_MAX) : "";
  };
  const sort = text("sort");
  const column = COLUMNS.find((one) => one === sort.replace(/^-/, ""));
  const page = text("page");
  return {
    q: text("q"),
    repository: text("repository"),
    author: text("author"),
    status: CONDITIONS.find((one) => one === text("status")) ?? "",
    stage: STAGES.find((one) => one === text("stage")) ?? "",
    reason: text("reason"),
    sort: column ?? NO_WISH.sort,
    descending: column !== undefined && sort.startsWith("-"),
    page: /^[1-9][0-9]{0,5}$/.test(page) ? Number(page) : 1,
  };
}

/** Titles and authors are not for strangers, nor is what would tell of them. */
export function forStrangers(wish: ListWish): ListWish {
  const { sort, descending } = STRANGERS_COLUMNS.includes(wish.sort) ? wish : NO_WISH;
  return { ...wish, q: "", author: "", sort, descending };
}

/** @param previews those that are gone among them where these are asked for */
export function listingOf(
  previews: readonly Preview[],
  wish: ListWish,
  endsOf: EndsOf = () => undefined,
  costOf: CostOf = () => undefined,
): Listing {
  const ours = previews.filter(({ key }) => !isStage(key));
  const here = ours.filter(({ status }) => status.goneAt === undefined);
  const wanted = sorted(
    (wish.stage === "Gone" ? ours : here).filter((preview) => isWanted(preview, wish)),
    wish,
    { endsOf, costOf },
  );
  const pages = Math.max(1, Math.ceil(wanted.length / PAGE));
  const page = Math.min(wish.page, pages);
  return {
    wish,
    previews: wanted.slice((page - 1) * PAGE, page * PAGE),
    total: wanted.length,
    page,
    pages,
    counts: countsOf(here),
    stages: previews.filter(({ key, status }) => isStage(key) && status.goneAt === undefined),
    queue: here.filter(isQueued).sort((one, other) => compare(one.status.since, other.status.since)),
    repositories: distinct(ours.map(({ repository }) => repository)),
    authors: distinct(ours.map(({ pullRequest }) => pullRequest?.author ?? "")),
  };
}

/** Whether the list as it was asked for shows it, on whichever page. */
export function isWanted(preview: Preview, { q, repository, author, status, stage, reason }: ListWish): boolean {
  const isGone = preview.status.goneAt !== undefined;
  if (isGone !== (stage === "Gone")) return false;
  if (repository && preview.repository !== repository) return false;
  if (author && preview.pullRequest?.author !== author) return false;
  if (status && preview.status.condition !== status) return false;
  if (reason && preview.status.reason !== reason) return false;
  if (stage && stageOf(preview) !== stage) return false;
  return q === "" || wordsOf(preview).includes(q.toLowerCase());
}

/** True when nothing narrows the list. */
export function showsAll({ q, repository, author, status, stage, reason }: ListWish): boolean {
  return q + repository + author + status + stage + reason === "";
}

/** Of the list as asked for, with what is changed. */
export function listHref(wish: Partial<ListWish>, changes: Partial<ListWish> = {}): string {
  const asked = { ...NO_WISH, ...wish, ...changes };
  const { q, repository, author, status, stage, reason, page } = asked;
  const parts = {
    q,
    repository,
    author,
    status,
    stage,
    reason,
    sort: sortOf(asked),
    page: page === 1 ? "" : String(page),
  };
  const query = new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== ""));
  return query.size === 0 ? "/" : `/?${query}`;
}

/** As it stands in an address; empty for the order that nobody asked for. */
export function sortOf({ sort, descending }: Pick<ListWish, "sort" | "descending">): string {
  if (sort === NO_WISH.sort && descending === NO_WISH.descending) return "";
  return `${descending ? "-" : ""}${sort}`;
}

/** ISO 8601 of the first of the times that end it; undefined where none does. */
export function expiryOf(ends: PreviewEnds | undefined, teardownAt: string | undefined): string | undefined {
  return [ends?.idleStop, ends?.hardStop, teardownAt].filter((time) => time !== undefined).sort()[0];
}

function isQueued({ status }: Preview): boolean {
  return status.reason === "Queued";
}

function countsOf(here: readonly Preview[]): ListCounts {
  const stages = here.map(stageOf);
  return {
    here: here.length,
    active: stages.filter((stage) => stage === "Active" || stage === "Idle").length,
    asleep: stages.filter((stage) => stage === "Asleep").length,
    stalled: here.filter(({ status }) => status.condition === "Stalled").length,
  };
}

function wordsOf({ key, gitBranch, pullRequest }: Preview): string {
  return `${key}\n${gitBranch}\n${pullRequest?.title ?? ""}\n${pullRequest?.author ?? ""}`.toLowerCase();
}

/** What it is sorted by; one that has none stands last in both directions. */
type SortValue = string | number | undefined;

function sorted(previews: readonly Preview[], { sort, descending }: ListWish, known: Known): readonly Preview[] {
  const rows = previews.map((preview) => ({ preview, value: SORTS[sort](preview, known) }));
  const way = descending ? -1 : 1;
  rows.sort((one, other) => {
    if (one.value === other.value) return byKey(one.preview, other.preview);
    if (one.value === undefined) return 1;
    if (other.value === undefined) return -1;
    return way * compare(one.value, other.value);
  });
  return rows.map(({ preview }) => preview);
}

interface Known {
  readonly endsOf: EndsOf;
  readonly costOf: CostOf;
}

/** Ages and visits grow backwards in time: the newest is the smallest. */
const SORTS: Readonly<Record<Column, (preview: Preview, known: Known) => SortValue>> = {
  status: ({ status }) => CONDITIONS.length - CONDITIONS.indexOf(status.condition),
  repository: ({ repository }) => repository,
  pull: ({ number, gitBranch }) => (number === undefined ? gitBranch : number),
  author: ({ pullRequest }) => pullRequest?.author.toLowerCase(),
  age: ({ createdAt, status }) => -Date.parse(status.goneAt ?? createdAt),
  visit: ({ lastVisitAt }) => (lastVisitAt === undefined ? undefined : -Date.parse(lastVisitAt)),
  cost: ({ key }, { costOf }) => costOf(key),
  expires: (preview, { endsOf }) => expiryOf(endsOf(preview), preview.status.teardownAt),
  commit: ({ status }) => status.live?.source.commit ?? status.headSha,
  link: ({ key, status }) => mainUrlOf(key, status.live?.urls ?? {}),
};

function byKey(one: Preview, other: Preview): number {
  return (
    compare(one.repository, other.repository) || (one.number ?? 0) - (other.number ?? 0) || compare(one.key, other.key)
  );
}

function compare(one: string | number, other: string | number): number {
  // Numbers of pull requests come before branches by hand.
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter(Boolean).sort();
}
