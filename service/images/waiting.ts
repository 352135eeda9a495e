/** How long an image is waited for, how often it is looked for, and how both are said. Pure. */
import type { PreviewStatus } from "../status.ts";
import { parseImage } from "./reference.ts";
import type { ManifestRead } from "./registry.ts";
import type { SignatureRead } from "./signatures.ts";

/** An image that CI has not pushed yet. */
export interface ImageWait {
  /** Of the spec that needs it: another spec is waited for anew. */
  readonly digest: string;
  /** ISO 8601: when it was first asked for, */
  readonly since: string;
  /** when it is given up, */
  readonly until: string;
  /** and when it is looked for again. */
  readonly nextAt: string;
  /** One sentence for people. */
  readonly message: string;
}

export interface Unfound {
  /** As the application names it, with the commit filled in. */
  readonly image: string;
  readonly read: Exclude<ManifestRead, { kind: "found" }> | Exclude<SignatureRead, { kind: "signed" }>;
}

export interface Waiting {
  readonly key: string;
  /** Of the spec that is wished for: another one is waited for anew. */
  readonly digest: string;
  /** The same wait as it stood before. */
  readonly wait: ImageWait | undefined;
  /** At least one. */
  readonly unfound: readonly Unfound[];
  readonly waitSeconds: number;
  /** ISO 8601 UTC */
  readonly now: string;
}

const LEAST_SECONDS = 10;
const MOST_SECONDS = 30;
/** While a registry is away after the time is over: only its clean answer ends the search. */
const AWAY_SECONDS = 300;
const RETRY_AFTER_MOST_SECONDS = 900;

/** The next look, or the end of waiting once the registry said "no" after the time was over. */
export function awaitImages(waiting: Waiting): Partial<PreviewStatus> {
  const { digest, wait, unfound, waitSeconds, now } = waiting;
  const since = wait?.since ?? now;
  const until = wait?.until ?? after(now, waitSeconds);
  const refused = unfound.find(({ read }) => read.kind !== "unavailable");
  if (now >= until && refused) return giveUp(waiting, refused, since);
  const nextAt = nextLook(unfound, { since, until, now });
  return { imageWait: { digest, since, until, nextAt, message: wordsOf(unfound, { since, until, now }) } };
}

/** A tenth of the time waited, from 10 s to 30 s; later where a registry asks for it. */
function nextLook(unfound: readonly Unfound[], { since, until, now }: Span): string {
  const most = now < until ? MOST_SECONDS : AWAY_SECONDS;
  const tenth = (Date.parse(now) - Date.parse(since)) / 10_000;
  // One that does not answer may take each look's whole time.
  const least = unfound.some(({ read }) => read.kind === "unavailable") ? MOST_SECONDS : LEAST_SECONDS;
  const regular = Math.min(Math.max(tenth, least), most);
  const asked = unfound.map(({ read }) => (read.kind === "unavailable" ? (read.retryAfterSeconds ?? 0) : 0));
  const pause = Math.max(regular, Math.min(Math.max(...asked), RETRY_AFTER_MOST_SECONDS));
  const next = after(now, pause);
  return now < until && next > until && pause === regular ? until : next;
}

interface Span {
  readonly since: string;
  readonly until: string;
  readonly now: string;
}

/** Says nothing that moves with the clock, so that a comment is written once and not at every look. */
function wordsOf(unfound: readonly Unfound[], { since, until, now }: Span): string {
  const [first] = unfound;
  const more = unfound.length > 1 ? ` and ${unfound.length - 1} more` : "";
  const image = `image "${first?.image}"${more}, since ${hour(since)}`;
  const waited =
    now < until
      ? `Waiting for ${image}, until ${hour(until)} UTC.`
      : `Still looking for ${image} UTC, every ${AWAY_SECONDS / 60} min.`;
  const hindered = unfound.map(hindrance).find((words) => words !== undefined);
  return hindered ? `${waited} ${hindered}` : waited;
}

function hindrance({ image, read }: Unfound): string | undefined {
  if (read.kind === "unsigned") return `It is there, but ${read.message}.`;
  if (read.kind === "unavailable") return `Its registry did not answer at the last look: ${read.message}.`;
  return read.kind === "denied" ? deniedWords(image) : undefined;
}

/** Registries do not tell strangers what exists: both ways out are named. */
function deniedWords(image: string): string {
  const host = parseImage(image)?.host ?? image;
  return `"${host}" denies the look: it is not pushed yet, or private; \`images.credentials\` in stackling.yaml names who may read it.`;
}

function giveUp({ key, digest, now }: Waiting, { image, read }: Unfound, since: string): Partial<PreviewStatus> {
  const minutes = Math.max(1, Math.round((Date.parse(now) - Date.parse(since)) / 60_000));
  const again = `then \`stackling redeploy '${key}'\`.`;
  const why = read.kind === "denied" ? ` ${deniedWords(image)}` : "";
  const failure =
    read.kind === "unsigned"
      ? {
          reason: "ImageUnsigned",
          message: `Image "${image}" was not signed within ${minutes} min: ${read.message}. Have CI sign what it pushes (docs/images.md), ${again}`,
          excerpt: [],
        }
      : {
          reason: "ImageNotFound",
          message: `Image "${image}" was not there within ${minutes} min.${why} Have CI push it for each commit (docs/images.md), ${again}`,
          excerpt: [],
        };
  return {
    imageWait: undefined,
    attempted: { digest, ok: false, terminal: true, failures: 1, at: now, failure },
  };
}

/** `15:04` */
function hour(time: string): string {
  return time.slice(11, 16);
}

function after(time: string, seconds: number): string {
  return new Date(Date.parse(time) + Math.round(seconds * 1000)).toISOString();
}
