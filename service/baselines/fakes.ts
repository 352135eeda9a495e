/**
 * Values in place of people's, the same for the same value and key. Addresses and numbers are of ranges that
 * lead to nobody: RFC 2606 (example.com), RFC 5737 and 3849 (addresses for documentation), 555-0100 to
 * 555-0199 (kept for fiction by the North American Numbering Plan), and +999, which no country has.
 */
import { base, en, Faker, type Randomizer } from "@faker-js/faker";
import type { FakeKind } from "../config/baselines.ts";
import { keyedDigest, padsOf } from "./keyed.ts";

export interface FakeWish {
  readonly kind: FakeKind | "format";
  readonly value: string;
  /** Raised when the one before was taken already. */
  readonly attempt: number;
  /** Different values must give different ones. */
  readonly unique: boolean;
  readonly maxLength?: number;
}

export type Fakes = (wish: FakeWish) => string;

export function createFakes(key: Uint8Array): Fakes {
  const pads = padsOf(key);
  let draw: Draw = () => Buffer.alloc(32);
  // The library's own generator takes longer to be set than a value takes to be made.
  let next = numbersOf(draw);
  const randomizer: Randomizer = { next: () => next(2 ** 32) / 2 ** 32, seed: () => undefined };
  const faker = new Faker({ locale: [en, base], randomizer });
  return ({ kind, value, attempt, unique, maxLength }) => {
    draw = (part) => keyedDigest(pads, `${kind}\0${attempt}\0${part}\0${value}`);
    next = numbersOf(draw);
    if (kind === "format") return inFormat(value, next);
    const digest = draw(0);
    const mark = unique
      ? BigInt(`0x${digest.toString("hex", 16, 24)}`)
          .toString(36)
          .padStart(13, "0")
          .slice(-9)
      : "";
    const fake = MAKERS[kind]({ faker, mark, digest });
    return fit(fake, { kind, mark, maxLength: maxLength ?? Number.POSITIVE_INFINITY });
  };
}

/** The n-th 32 bytes that key and value give. */
type Draw = (part: number) => Buffer;

/** Whole numbers below a limit, from one draw after the other. */
function numbersOf(draw: Draw): (below: number) => number {
  let part = 1;
  let block: Buffer = Buffer.alloc(0);
  let used = 0;
  return (below) => {
    if (used === block.length) {
      block = draw(part);
      part += 1;
      used = 0;
    }
    used += 4;
    return block.readUInt32BE(used - 4) % below;
  };
}

interface Making {
  readonly faker: Faker;
  /** Makes it unique; empty where it need not be. */
  readonly mark: string;
  readonly digest: Buffer;
}

type Maker = (making: Making) => string;

const spaced =
  (make: (faker: Faker) => string): Maker =>
  ({ faker, mark }) =>
    [make(faker), mark].filter(Boolean).join(" ");
const plain = (text: string) => text.toLowerCase().replace(/[^a-z]/g, "");
const login: Maker = ({ faker: { person }, mark }) =>
  [plain(person.firstName()), plain(person.lastName()), mark].filter(Boolean).join(".");

const MAKERS: Readonly<Record<FakeKind, Maker>> = {
  city: spaced(({ location }) => location.city()),
  company: spaced(({ company }) => company.name()),
  country: spaced(({ location }) => location.country()),
  email: (making) => `${login(making)}@example.com`,
  firstName: spaced(({ person }) => person.firstName()),
  ip: ({ mark, digest }) =>
    mark
      ? `2001:db8:${[24, 26, 28, 30].map((at) => digest.readUInt16BE(at).toString(16)).join(":")}::1`
      : `${["192.0.2", "198.51.100", "203.0.113"][digest.readUInt8(24) % 3]}.${(digest.readUInt8(25) % 254) + 1}`,
  jobTitle: spaced(({ person }) => person.jobTitle()),
  lastName: spaced(({ person }) => person.lastName()),
  name: spaced(({ person }) => `${person.firstName()} ${person.lastName()}`),
  paragraph: spaced(({ lorem }) => lorem.paragraph()),
  phone: ({ mark, digest }) =>
    mark
      ? `+999${String(digest.readBigUInt64BE(16) % 100_000_000_000n).padStart(11, "0")}`
      : `+1${AREAS[digest.readUInt8(24) % AREAS.length]}55501${String(digest.readUInt8(25) % 100).padStart(2, "0")}`,
  sentence: spaced(({ lorem }) => lorem.sentence()),
  state: spaced(({ location }) => location.state()),
  street: spaced(({ location }) => location.streetAddress()),
  url: ({ faker: { lorem }, mark }) =>
    `https://${[plain(lorem.word()), plain(lorem.word()), mark].filter(Boolean).join("-")}.example`,
  username: login,
  word: spaced(({ lorem }) => lorem.word()),
  zip: spaced(({ location }) => location.zipCode("#####")),
};

const AREAS = ["202", "206", "212", "303", "305", "312", "404", "415", "503", "512", "602", "615", "617", "702", "713"];

/** Shorter where the column is: what makes it unique goes last. */
function fit(fake: string, { kind, mark, maxLength }: { kind: FakeKind; mark: string; maxLength: number }): string {
  if (fake.length <= maxLength) return fake;
  if (kind === "email" && maxLength > 20) {
    const name = mark ? mark : fake.slice(0, maxLength - 12).replace(/[.@]+$/, "");
    return `${name.slice(0, maxLength - 12)}@example.com`;
  }
  if (mark) return mark.slice(-maxLength);
  return fake.slice(0, maxLength).trimEnd();
}

/** Letter for letter and digit for digit; everything else stays where it is. */
function inFormat(value: string, next: (below: number) => number): string {
  return [...value].map((character) => swap(character, next)).join("");
}

function swap(character: string, next: (below: number) => number): string {
  if (/\p{Nd}/u.test(character)) return String(next(10));
  if (/\p{Lu}/u.test(character)) return String.fromCharCode(65 + next(26));
  return /\p{L}/u.test(character) ? String.fromCharCode(97 + next(26)) : character;
}
