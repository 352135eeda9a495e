/** Lets a page's own content security policy pass the banner's three files and nothing else of ours. Pure. */
import parsePolicy from "content-security-policy-parser";

export interface BannerSources {
  /** Whole addresses, which a policy then names exactly. */
  readonly script: string;
  readonly style: string;
  readonly facts: string;
  /** Of the script's and the style sheet's elements, where a policy goes by that. */
  readonly nonce: string;
}

/**
 * The policies of one header or `meta` element, separated by commas, with the banner's sources added; as they were
 * where they forbid none of it. It widens the first that is there of the directives that govern an element, and
 * spells out what falls back on `default-src`. A `sandbox` is left as it is: where it stops scripts there is no banner.
 * Source: Content Security Policy Level 3, §6.8 "Directives related to fetching".
 */
export function amendPolicies(list: string, { script, style, facts, nonce }: BannerSources): string {
  return list
    .split(",")
    .map((policy) => {
      const directives = parsePolicy(policy);
      const changes = [
        widen(directives, ["script-src-elem", "script-src"], [script, `'nonce-${nonce}'`]),
        widen(directives, ["style-src-elem", "style-src"], [style, `'nonce-${nonce}'`]),
        widen(directives, ["connect-src"], [facts]),
      ];
      return changes.includes(true) ? `${/^\s*/.exec(policy)?.[0]}${textOf(directives)}` : policy;
    })
    .join(",");
}

type Directives = Map<string, string[]>;

/** Older browsers know only the last of `names`; it is widened too where it is there. */
function widen(directives: Directives, names: readonly [string, ...string[]], ours: Ours): boolean {
  const said = names.filter((name) => directives.has(name));
  const fallback = directives.get("default-src");
  for (const name of said) directives.set(name, withOurs(directives.get(name) ?? [], ours));
  if (said.length > 0 || fallback === undefined) return said.length > 0;
  directives.set(names.at(-1) ?? names[0], withOurs(fallback, ours));
  return true;
}

type Ours = readonly [url: string, nonce?: string];

/** A nonce would switch off the `'unsafe-inline'` that an application lives on; there the address is enough. */
function withOurs(sources: readonly string[], [url, nonce]: Ours): string[] {
  const kept = sources.filter((source) => source.toLowerCase() !== "'none'");
  const needsInline = kept.some((source) => source.toLowerCase() === "'unsafe-inline'") && !kept.some(overrulesInline);
  return [...kept, url, ...(nonce === undefined || needsInline ? [] : [nonce])];
}

function overrulesInline(source: string): boolean {
  return /^'(nonce-|sha(256|384|512)-|strict-dynamic')/i.test(source);
}

function textOf(directives: Directives): string {
  return [...directives].map(([name, values]) => [name, ...values].join(" ")).join("; ");
}
