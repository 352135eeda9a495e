/** Looks like a person's: e-mail addresses, phone and card numbers, and names of a list, in any text. Pure. */

export const findingKinds = ["email", "phone", "card", "name"] as const;
export type FindingKind = (typeof findingKinds)[number];

export interface Sighting {
  readonly kind: FindingKind;
  readonly text: string;
}

export type Scan = (text: string) => readonly Sighting[];

/** `names`: whole names or single words, in any case; each is found as whole words. */
export function createScan(names: Iterable<string> = []): Scan {
  const wanted = new Set<string>();
  let longest = 0;
  for (const name of names) {
    const words = wordsOf(name);
    if (words.length === 0) continue;
    wanted.add(words.join(" "));
    longest = Math.max(longest, words.length);
  }
  return (text) => {
    // Most texts hold none of it.
    const numbers = /\d[\d\s()./-]{5,}\d/.test(text) ? [...cards(text), ...phones(text)] : [];
    return [...(text.includes("@") ? emails(text) : []), ...numbers, ...namesIn(text, wanted, longest)];
  };
}

/** Enough to find it by, and too little to know it. */
export function redact({ kind, text }: Sighting): string {
  if (kind === "email") {
    const [local = "", domain = ""] = text.split("@");
    return `${local.slice(0, 1)}***@${domain.slice(0, 1)}***.${domain.split(".").at(-1)}`;
  }
  if (kind === "name") return text.replace(/\p{L}+/gu, (word) => `${word.slice(0, 1)}***`);
  return `${text.slice(0, 2)}***${text.slice(-2)}`;
}

/** Begins where nothing before it could: in a file's bytes every letter would begin a search to their end. */
const EMAIL = /(?<![\p{L}\d._%+'-])[\p{L}\d._%+'-]+@(?:[\p{L}\d](?:[\p{L}\d-]*[\p{L}\d])?\.)+\p{L}{2,}/gu;
/** Domains that nobody can have: RFC 2606 and RFC 6761. */
const NOBODYS_DOMAIN = /@(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost)$/i;

function emails(text: string): readonly Sighting[] {
  return (text.match(EMAIL) ?? [])
    .filter((found) => !NOBODYS_DOMAIN.test(found))
    .map((found) => ({ kind: "email", text: found }));
}

/** Of card schemes; not part of a longer number, an identifier or a decimal. */
const CARD = /(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w-]|\.\d)/g;
/** Numbers that payment providers publish for tests. */
const TEST_CARDS = new Set([
  "4242424242424242",
  "4111111111111111",
  "5555555555554444",
  "378282246310005",
  "4000056655665556",
]);

function cards(text: string): readonly Sighting[] {
  return (text.match(CARD) ?? [])
    .filter((found) => {
      const digits = found.replace(/\D/g, "");
      return digits.length <= 19 && !TEST_CARDS.has(digits) && isLuhn(digits);
    })
    .map((found) => ({ kind: "card", text: found }));
}

/** ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (const [i, digit] of [...digits].toReversed().entries()) {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** International (`+49 30 1234567`, `0049…`), North American (`(212) 555-2368`) and with a leading zero (`030/1234567`). */
const PHONES = [
  /(?<![\w+])(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(\d{1,5}\)[ ./-]?)?\d(?:[ ./-]?\d){4,12}(?![\d-])/g,
  /(?<![\w.+-])(?<!\d )(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\w-])(?! \d)/g,
  /(?<![\w.+:-])(?<!\d )\(?0[1-9]\d{1,4}\)?[ /-][ /-]?\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\w:-]|\.\d)(?! \d)/g,
];

function phones(text: string): readonly Sighting[] {
  const found = new Map<number, string>();
  for (const pattern of PHONES) {
    for (const { index, 0: match } of text.matchAll(pattern)) if (!found.has(index)) found.set(index, match);
  }
  return [...found.values()].filter(isSomebodys).map((match) => ({ kind: "phone", text: match }));
}

/** Not one kept for fiction, no date, and digits enough for a network. */
function isSomebodys(match: string): boolean {
  const digits = match.replace(/\D/g, "").replace(/^00/, "");
  if (digits.length < 8 || digits.length > 15) return false;
  if (/^1?[2-9]\d{2}55501\d{2}$/.test(digits) || digits.startsWith("999")) return false;
  return !/^0?\d{1,2}[ ./-]\d{1,2}[ ./-]\d{4}$/.test(match.trim());
}

function namesIn(text: string, wanted: ReadonlySet<string>, longest: number): readonly Sighting[] {
  if (wanted.size === 0) return [];
  const words = wordsOf(text);
  return words.flatMap((_, at) => {
    for (let length = longest; length > 0; length -= 1) {
      const phrase = words.slice(at, at + length);
      if (phrase.length === length && wanted.has(phrase.join(" ")))
        return [{ kind: "name" as const, text: phrase.join(" ") }];
    }
    return [];
  });
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*/gu) ?? [];
}
