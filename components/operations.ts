/** What a driver can be asked of the world outside Pulumi; part of its port. */

/** What an operation gets: the driver's own options and, where it is about one preview, its stack. */
export interface OperationContext<O> {
  readonly options: O;
  readonly stack: string;
}

export interface LogLine {
  readonly service: string;
  /** ISO 8601 UTC, absent where the source keeps no time. */
  readonly at?: string;
  readonly text: string;
}

export interface LogQuery {
  readonly service?: string;
  /** Lines from the end of each service's log. */
  readonly tail: number;
  /** Goes on until `signal` aborts. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** Something that exists in the world and bears our tags, whether a stack knows of it or not. */
export interface OwnedThing {
  /** `process`, `database`, `role`, `checkout`, `route`, `namespace`, … */
  readonly kind: string;
  readonly id: string;
  readonly stack: string;
}

/** Who changed something and when, as far as the vendor tells. */
export interface Change {
  /** A person, program or field manager in the vendor's words. */
  readonly by?: string;
  /** ISO 8601 UTC */
  readonly at?: string;
}

/** What a preview took and holds of what a driver gives it, as far as the driver counts. */
export interface Usage {
  /** They only rise. */
  readonly counters: readonly UsageCounter[];
  /** What it holds now; only where asked for. */
  readonly held: readonly UsageHeld[];
  /** Why that is not told although it was asked for: what was told last counts on. */
  readonly failed?: Error;
}

export interface UsageCounter {
  readonly meter: "cpu" | "memory" | "database-compute";
  /** Service, task or database it belongs to. */
  readonly resource: string;
  /** Another one where the counting began anew at 0. */
  readonly id: string;
  /** vCPU-hours, or GiB-hours of memory. */
  readonly hours: number;
}

export interface UsageHeld {
  readonly meter: "disk" | "database-storage";
  readonly resource: string;
  readonly gib: number;
}

/** Found wrong by a check, with the way out; `ok` findings are shown by `doctor` too. */
export interface Finding {
  readonly ok: boolean;
  readonly what: string;
  readonly remedy?: string;
}

/** How an address is dialed where a plain connection does not do. */
export interface Reach {
  /** By TLS; the certificate must bear `serverName` and be signed by `ca` (PEM), or by a public authority. */
  readonly tls?: { readonly serverName: string; readonly ca?: string };
  /** Sent with every request; the value is secret, the name in lower case. */
  readonly header?: { readonly name: string; readonly value: string };
}

/** Each only where it makes sense for the vendor; every one is idempotent and safe to ask at any time. */
export interface Operations<O> {
  /** Private `host:port` where the gateway reaches a service now; undefined while there is none. */
  address?(context: OperationContext<O>, service: string): Promise<string | undefined>;
  /** How those addresses are dialed; undefined: by a plain connection. Rejects where a secret of it is missing. */
  reach?(options: O): Promise<Reach | undefined>;
  /**
   * Frees or restores what runs, keeping data and link. Not a change of the stack. When `signal` aborts, it
   * need not wait any longer for what it began.
   */
  setAwake?(context: OperationContext<O>, awake: boolean, signal?: AbortSignal): Promise<void>;
  /**
   * Of a credential that ends by itself: makes it valid for its whole time again, awake or asleep. It stays the
   * same one, and what is connected stays connected. Resolves with when it ends now, ISO 8601 UTC; undefined
   * where it does not end, or there is none. Rejects where it could not be asked: it is asked again soon.
   */
  renew?(context: OperationContext<O>): Promise<string | undefined>;
  /** True when everything that should run while awake runs. */
  isAwake?(context: OperationContext<O>): Promise<boolean>;
  logs?(context: OperationContext<O>, query: LogQuery): AsyncIterable<LogLine>;
  /** Why it is not ready, in a person's words. */
  explain?(context: OperationContext<O>): Promise<string | undefined>;
  /** All that exists, of every stack or of one: serves the sweep and the proof of a teardown. */
  owned?(options: O, stack?: string): Promise<readonly OwnedThing[]>;
  /** Kinds of things that `owned` finds where they are; a receipt says that none of them is left. */
  readonly kinds?: readonly string[];
  /** Removes one owned thing that no stack knows of any more. Gone already is success. */
  remove?(options: O, thing: OwnedThing): Promise<void>;
  /** Read-only calls: is it reached, are the permissions there. */
  check?(options: O): Promise<readonly Finding[]>;
  /**
   * What a preview took so far, of drivers that count it; without this it is reckoned from its spec and the time.
   * With `held` also what it holds, which takes longer. Answers for one that is gone too, for as long as it is known.
   */
  usage?(context: OperationContext<O>, wish: { readonly held: boolean }): Promise<Usage>;
  /** Who changed a resource last; `type` and `id` as the engine knows them. Undefined: not known. */
  changed?(
    context: OperationContext<O>,
    resource: { readonly type: string; readonly id: string },
  ): Promise<Change | undefined>;
}
