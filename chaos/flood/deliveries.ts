/** Deliveries as nobody would send them, and some as a forge does: generated, so that a seed repeats them. */
import { createHmac, randomUUID } from "node:crypto";
import fc from "fast-check";

export interface Post {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Its id when it is a delivery that must be taken and never lost. */
  readonly deliveryId?: string;
  /** False where the bytes are no HTTP, or end too early: then no answer is an answer too. */
  readonly answered: boolean;
}

export interface DeliverySettings {
  readonly seed: number;
  readonly count: number;
  readonly repository: string;
  readonly pulls: number;
  readonly secret: string;
}

const NESTED = 5_000;
const LONG = 100_000;
const UNICODE = { unit: "binary", maxLength: 40 } as const;

/** About one of five is a good one. */
export function generateDeliveries({ seed, count, repository, pulls, secret }: DeliverySettings): readonly Post[] {
  return fc.sample(post({ repository, pulls, secret }), { seed, numRuns: count });
}

/** What GitHub sends when a pull request got a new commit, padded to `bytes`. */
export function goodDelivery(
  { repository, secret }: Pick<DeliverySettings, "repository" | "secret">,
  { number, bytes = 0 }: { readonly number: number; readonly bytes?: number },
): Post {
  const text = JSON.stringify({ action: "synchronize", number, repository: { full_name: repository } });
  const body = Buffer.from(text.padEnd(bytes));
  const deliveryId = randomUUID();
  return { headers: headersOf({ body, secret, deliveryId }), body, deliveryId, answered: true };
}

/** The same bytes under another id, as if it were another one. */
export function sentAgain({ headers, ...post }: Post): Post {
  const deliveryId = randomUUID();
  return {
    ...post,
    deliveryId,
    headers: headers.map(([name, value]) => [name, name === "x-github-delivery" ? deliveryId : value]),
  };
}

function post(settings: Pick<DeliverySettings, "repository" | "pulls" | "secret">): fc.Arbitrary<Post> {
  const { repository, pulls, secret } = settings;
  const good = fc.integer({ min: 1, max: pulls }).map((number) => goodDelivery(settings, { number }));
  const signed = fc.tuple(bodies(repository), eventNames).map(([body, event]): Post => {
    return { headers: headersOf({ body, secret, event }), body, answered: true };
  });
  const strange = fc
    .tuple(bodies(repository), fc.array(strangeHeader, { maxLength: 6 }), fc.boolean())
    .map(([body, strangers, isSigned]): Post => {
      const own = isSigned ? headersOf({ body, secret }) : [];
      // A header of one's own framing may contradict the body.
      const framed = strangers.some(([name]) => /^(content-length|transfer-encoding|host|expect)$/i.test(name));
      return { headers: [...own, ...strangers], body, answered: !framed };
    });
  return fc.oneof({ weight: 2, arbitrary: good }, { weight: 4, arbitrary: signed }, { weight: 4, arbitrary: strange });
}

interface Signed {
  readonly body: Buffer;
  readonly secret: string;
  readonly event?: string;
  readonly deliveryId?: string;
}

function headersOf({ body, secret, event = "pull_request", deliveryId = randomUUID() }: Signed): Post["headers"] {
  return [
    ["content-type", "application/json"],
    ["x-github-event", event],
    ["x-github-delivery", deliveryId],
    ["x-hub-signature-256", `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`],
  ];
}

const eventNames = fc.oneof(
  fc.constantFrom("pull_request", "push", "issue_comment", "ping", "repository", "delete", "check_run"),
  fc.stringMatching(/^[\x21-\x7e]{0,300}$/),
);

/** Bodies that are JSON of the right shape with wrong values, JSON of any shape, or no JSON at all. */
function bodies(repository: string): fc.Arbitrary<Buffer> {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string(UNICODE),
    fc.constantFrom(null, -1, 0, 1e308, 2 ** 53, "", "__proto__", "\u0000", "\ud800", "../../etc/passwd"),
  );
  const shaped = fc
    .record(
      {
        action: value,
        number: value,
        ref: value,
        after: value,
        repository: fc.oneof(value, fc.record({ full_name: fc.oneof(value, fc.constant(repository)), id: value })),
        pull_request: fc.oneof(value, fc.record({ number: value, head: value })),
        issue: fc.oneof(value, fc.record({ number: value, pull_request: value })),
        comment: fc.oneof(value, fc.record({ id: value, body: value, user: value })),
        ["__proto__"]: value,
        constructor: value,
      },
      { requiredKeys: [] },
    )
    .map((body) => JSON.stringify(body));
  const text = fc.oneof(
    { weight: 6, arbitrary: shaped },
    { weight: 2, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.constant("[".repeat(NESTED)) },
    { weight: 1, arbitrary: fc.constant(`${"[".repeat(NESTED)}${"]".repeat(NESTED)}`) },
    { weight: 1, arbitrary: fc.string(UNICODE).map((part) => JSON.stringify({ action: part.repeat(LONG / 10) })) },
    { weight: 1, arbitrary: fc.constantFrom("", "{", "null", '{"number":1e999}', '{"a":1,"a":2}', "\ufeff{}") },
  );
  return fc.oneof(
    { weight: 5, arbitrary: text.map((chars) => Buffer.from(chars)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)) },
  );
}

const strangeHeader: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.constantFrom<readonly [string, string]>(
    ["content-type", "text/plain"],
    ["content-type", "application/json; charset=utf-7"],
    ["content-encoding", "gzip"],
    ["content-length", "0"],
    ["content-length", "-1"],
    ["content-length", "99999999999999999999"],
    ["transfer-encoding", "chunked"],
    ["expect", "100-continue"],
    ["host", "evil.example"],
    ["host", ""],
    ["x-hub-signature-256", "sha256="],
    ["x-hub-signature-256", `sha256=${"0".repeat(64)}`],
    ["x-hub-signature-256", "sha1=abc"],
    ["x-github-delivery", ""],
    ["x-github-delivery", "x".repeat(5_000)],
    ["x-forwarded-for", "127.0.0.1"],
    ["authorization", "Bearer guessed"],
    ["cookie", "a=b; ".repeat(500)],
  ),
  fc.tuple(fc.stringMatching(/^[a-z][a-z-]{0,30}$/), fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,200}$/)),
);
