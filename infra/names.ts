/** Every name a preview bears, made in one place, so that no two places cut and hash differently. */
import { createHash } from "node:crypto";

/** Pulumi project of every preview stack; fixed, because the backend files stacks under it. */
export const PROJECT = "stackling";

const LABEL_MAX = 63;

/** Long-lived, beside a repository's previews. */
export interface StageKey {
  readonly repository: string;
  /** A word without a dash: else the stage `a-b` would have the host of `b`'s service in the stage `a`. */
  readonly stage: string;
}

/** A preview: of a pull request by number, of a git branch by hand, or a stage. */
export type PreviewKey =
  | { readonly repository: string; readonly number: number }
  | { readonly repository: string; readonly gitBranch: string }
  | StageKey;

/** `pr` and `br` begin the hosts of previews. */
const STAGE_NAME = /^(?!(?:pr|br)$)[a-z][a-z0-9]{0,19}$/;

/** True for what may be a stage's name. */
export function isStageName(text: string): boolean {
  return STAGE_NAME.test(text);
}

/** True for the key of a stage, as `formatKey` writes it. */
export function isStage(key: string): boolean {
  const parsed = parseKey(key);
  return parsed !== undefined && "stage" in parsed;
}

/** `shop#42`, `shop@feature/cart` or `shop:staging`. */
export function formatKey(key: PreviewKey): string {
  if ("stage" in key) return `${key.repository}:${key.stage}`;
  return "number" in key ? `${key.repository}#${key.number}` : `${key.repository}@${key.gitBranch}`;
}

/** Reads what `formatKey` wrote; undefined when the text is none of its forms. */
export function parseKey(text: string): PreviewKey | undefined {
  const byStage = /^([a-z][a-z0-9-]*):([a-z0-9]+)$/.exec(text);
  if (byStage?.[1] && byStage[2]) {
    return isStageName(byStage[2]) ? { repository: byStage[1], stage: byStage[2] } : undefined;
  }
  const byNumber = /^([a-z][a-z0-9-]*)#([1-9][0-9]{0,9})$/.exec(text);
  if (byNumber?.[1] && byNumber[2]) return { repository: byNumber[1], number: Number(byNumber[2]) };
  const byBranch = /^([a-z][a-z0-9-]*)@(\S.*)$/.exec(text);
  if (byBranch?.[1] && byBranch[2]) return { repository: byBranch[1], gitBranch: byBranch[2] };
  return undefined;
}

/** `<name>-pr-<number>`, `<name>-br-<slug>-<hash>` or `<name>-st-<stage>`; at most 63 characters, unique per key. */
export function stackName(key: PreviewKey): string {
  if ("stage" in key) return cut(`${key.repository}-st-${key.stage}`, LABEL_MAX);
  if ("number" in key) return cut(`${key.repository}-pr-${key.number}`, LABEL_MAX);
  const hash = digest(key.gitBranch, 6);
  const slug = slugify(key.gitBranch);
  const room = LABEL_MAX - hash.length - 1;
  return `${trimDashes(`${key.repository}-br-${slug}`.slice(0, room))}-${hash}`;
}

/**
 * Host of a service: `pr-42-shop.<domain>` for the main one, `pr-42-api-shop.<domain>` for others; of a stage
 * `staging-shop.<domain>` and `staging-api-shop.<domain>`.
 * One DNS label of at most 63 characters (RFC 1035 §2.3.4), so one wildcard certificate fits all.
 */
export function hostName(key: PreviewKey, domain: string, service?: string): string {
  const which = subjectLabel(key);
  const label = service ? `${which}-${service}-${key.repository}` : `${which}-${key.repository}`;
  return `${cut(label, LABEL_MAX)}.${domain}`;
}

/**
 * What telemetry calls it: `pr-42`, `br-<slug>-<hash>`, or the stage's own name; at most 63 characters, in which Sentry
 * and others find nothing to refuse.
 */
export function environmentName(key: PreviewKey): string {
  return cut(subjectLabel(key), LABEL_MAX);
}

function subjectLabel(key: PreviewKey): string {
  if ("stage" in key) return key.stage;
  return "number" in key ? `pr-${key.number}` : `br-${slugify(key.gitBranch)}-${digest(key.gitBranch, 6)}`;
}

/** Of all addresses of a preview by service, that of the main one, whatever order they are in. */
export function mainUrlOf(key: string, urls: Readonly<Record<string, string>>): string | undefined {
  const all = Object.values(urls);
  const parsed = parseKey(key);
  const start = parsed && `//${hostName(parsed, "")}`;
  return all.find((url) => start !== undefined && url.includes(start)) ?? all[0];
}

/** Text as it is when it fits, else cut with a hash of the whole, so that two long names stay two. */
function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const hash = digest(text, 8);
  return `${text.slice(0, max - hash.length - 1)}-${hash}`;
}

function slugify(text: string): string {
  return (
    trimDashes(
      text
        .normalize("NFKD")
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-"),
    ).slice(0, 30) || "x"
  );
}

function trimDashes(text: string): string {
  return text.replace(/^-+|-+$/g, "");
}

function digest(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}
