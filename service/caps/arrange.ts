/** Who may be live now, who waits at which place, and who makes room. Pure. */

export type CapScope = "all" | "repository" | "author";

/** Where one that waits stands, in the queue of the cap that holds it back. */
export interface QueuePlace {
  /** From 1. */
  readonly place: number;
  /** How many wait in this queue. */
  readonly of: number;
  readonly scope: CapScope;
  /** Of the repository or author; empty for all. */
  readonly name: string;
  /** Live previews that the cap allows. */
  readonly limit: number;
}

export interface Candidate {
  readonly key: string;
  /** Name of the repository in the config. */
  readonly repository: string;
  /** Author of the pull request; undefined for a preview by hand, which counts for nobody. */
  readonly author?: string;
}

/** One that is live: it serves, or is being built or woken. */
export interface Occupant extends Candidate {
  /** It is on its way to sleep. */
  readonly leaving: boolean;
  /** Nobody would miss it now: it serves, was not visited lately, and is not kept. */
  readonly spare: boolean;
  /** ISO 8601 of the last visit or push, or since when it serves. */
  readonly activeAt: string;
}

/** Everybody, as one look saw it. */
export interface Seats {
  readonly live: readonly Occupant[];
  /** Longest waiting first. */
  readonly waiting: readonly Candidate[];
}

export interface CapRules {
  /** Most live previews of everything together; undefined: any number. */
  readonly all: number | undefined;
  readonly perAuthor: number | undefined;
  readonly ofRepository: (name: string) => number | undefined;
  /** Whether the idlest goes to sleep for one that waits. */
  readonly makeRoom: boolean;
}

export interface Arrangement {
  /** Keys that waited and now have room, in their order. */
  readonly granted: readonly string[];
  /** Keys to be put to sleep. */
  readonly sentToSleep: readonly string[];
  /** Of everybody who goes on waiting. */
  readonly places: ReadonlyMap<string, QueuePlace>;
}

/**
 * In the order of their waiting, everybody gets room whom every cap allows; one that its repository or
 * author holds back holds up nobody of another. For those who are left the idlest spare one is asked to
 * sleep, once each: what is on its way to sleep counts as room to come.
 */
export function arrange(rules: CapRules, seats: Seats): Arrangement {
  const now = new Tally(rules, seats.live);
  const granted: string[] = [];
  const left: Candidate[] = [];
  for (const waiter of seats.waiting) {
    if (now.full(waiter).length > 0) left.push(waiter);
    else {
      now.add(waiter);
      granted.push(waiter.key);
    }
  }
  return { granted, places: placesOf(now, left), sentToSleep: rules.makeRoom ? makeRoom(now, seats.live, left) : [] };
}

function placesOf(tally: Tally, left: readonly Candidate[]): Map<string, QueuePlace> {
  const lengths = new Map<string, number>();
  const stand: { readonly key: string; readonly place: number; readonly cap: Cap }[] = [];
  for (const waiter of left) {
    const cap = tally.full(waiter)[0];
    if (!cap) continue;
    const place = (lengths.get(cap.id) ?? 0) + 1;
    lengths.set(cap.id, place);
    stand.push({ key: waiter.key, place, cap });
  }
  return new Map(
    stand.map(({ key, place, cap: { id, scope, name, limit } }) => [
      key,
      { place, of: lengths.get(id) ?? place, scope, name, limit },
    ]),
  );
}

/** Keys that are to sleep so that, once they do, as many of the waiting as possible have room. */
function makeRoom(now: Tally, live: readonly Occupant[], left: readonly Candidate[]): readonly string[] {
  const later = now.copy();
  for (const occupant of live) if (occupant.leaving) later.remove(occupant);
  const spare = live.filter((occupant) => occupant.spare && !occupant.leaving).sort(idlestFirst);
  const asked = new Set<string>();
  for (const waiter of left) {
    const found = roomFor(
      waiter,
      later.copy(),
      spare.filter(({ key }) => !asked.has(key)),
    );
    if (!found) continue;
    for (const occupant of found) {
      asked.add(occupant.key);
      later.remove(occupant);
    }
    later.add(waiter);
  }
  return [...asked];
}

/** The idlest whose sleep lets the waiter in, none where there is room to come anyway; undefined where nothing would. */
function roomFor(waiter: Candidate, tally: Tally, spare: readonly Occupant[]): readonly Occupant[] | undefined {
  const found: Occupant[] = [];
  for (let caps = tally.full(waiter); caps.length > 0; caps = tally.full(waiter)) {
    // One that is under every cap that is full frees them all at once.
    const choice = spare
      .filter((occupant) => !found.includes(occupant))
      .map((occupant) => ({ occupant, frees: caps.filter((cap) => tally.counts(occupant, cap.id)).length }))
      .filter(({ frees }) => frees > 0)
      .sort((a, b) => b.frees - a.frees)[0];
    if (!choice) return undefined;
    found.push(choice.occupant);
    tally.remove(choice.occupant);
  }
  return found;
}

function idlestFirst(a: Occupant, b: Occupant): number {
  return a.activeAt < b.activeAt ? -1 : a.activeAt > b.activeAt ? 1 : a.key < b.key ? -1 : 1;
}

interface Cap {
  readonly id: string;
  readonly scope: CapScope;
  readonly name: string;
  readonly limit: number;
}

/** How many are live under each cap. */
class Tally {
  readonly #rules: CapRules;
  readonly #counts = new Map<string, number>();

  constructor(rules: CapRules, live: readonly Candidate[]) {
    this.#rules = rules;
    for (const candidate of live) this.add(candidate);
  }

  add(candidate: Candidate): void {
    this.#shift(candidate, 1);
  }

  remove(candidate: Candidate): void {
    this.#shift(candidate, -1);
  }

  copy(): Tally {
    const copy = new Tally(this.#rules, []);
    for (const [id, count] of this.#counts) copy.#counts.set(id, count);
    return copy;
  }

  /** The caps that leave no room for it, the narrowest first. */
  full(candidate: Candidate): readonly Cap[] {
    return this.#capsOf(candidate).filter((cap) => (this.#counts.get(cap.id) ?? 0) >= cap.limit);
  }

  counts(candidate: Candidate, id: string): boolean {
    return this.#capsOf(candidate).some((cap) => cap.id === id);
  }

  #shift(candidate: Candidate, by: number): void {
    for (const { id } of this.#capsOf(candidate)) this.#counts.set(id, (this.#counts.get(id) ?? 0) + by);
  }

  #capsOf({ repository, author }: Candidate): readonly Cap[] {
    const { all, perAuthor, ofRepository } = this.#rules;
    const caps: readonly (Omit<Cap, "limit"> & { readonly limit: number | undefined })[] = [
      {
        id: `author ${author}`,
        scope: "author",
        name: author ?? "",
        limit: author === undefined ? undefined : perAuthor,
      },
      { id: `repository ${repository}`, scope: "repository", name: repository, limit: ofRepository(repository) },
      { id: "all", scope: "all", name: "", limit: all },
    ];
    return caps.flatMap((cap) => (cap.limit === undefined ? [] : [{ ...cap, limit: cap.limit }]));
  }
}
