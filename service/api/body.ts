/** Raw bodies, bounded in size, in time and in how many large ones are in memory at once. */
import type { IncomingMessage } from "node:http";
import { RejectedDeliveryError } from "../../components/errors.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** Bodies over 1 MiB that may be in memory at once. */
  readonly largeBodies: number;
  readonly timeoutMs?: number;
}

/**
 * Reads a body and gives it to `use`; it counts as held until that is over, and is no more to be read
 * then. Throws what `use` throws, and `RejectedDeliveryError`: 413 over the limit, 503 when too much is
 * held at once, 400 when it does not come in time or breaks off.
 */
export type WithBody = <T>(request: IncomingMessage, use: (body: Buffer) => Promise<T>) => Promise<T>;

const LARGE_BYTES = 1024 * 1024;
/** For all that are not large: thousands of deliveries, or a stranger's many that are just not large. */
const SMALL_TOTAL_BYTES = 64 * 1024 * 1024;

export function createBodyReader({ maxBytes, largeBodies, timeoutMs = 10_000 }: BodyLimits): WithBody {
  const heldMax = maxBytes * largeBodies + SMALL_TOTAL_BYTES;
  let large = 0;
  let held = 0;

  return async (request, use) => {
    const pile = createPile(maxBytes);
    let counted = false;
    let arrived = 0;
    const claimed = Number(request.headers["content-length"] ?? 0);
    // The claim is not trusted: what arrives is counted too.
    const admit = (bytes: number) => {
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      if (counted || bytes <= LARGE_BYTES) return;
      if (large >= largeBodies) throw tooMany();
      counted = true;
      large += 1;
    };
    const take = (chunk: Buffer) => {
      held += chunk.length;
      arrived += chunk.length;
      if (held > heldMax) throw tooMany();
      admit(arrived);
      pile.add(chunk);
    };
    try {
      admit(claimed);
      await arrival(request, take, timeoutMs);
      return await use(pile.body());
    } finally {
      pile.drop();
      held -= arrived;
      if (counted) large -= 1;
    }
  };
}

interface Pile {
  add(chunk: Buffer): void;
  body(): Buffer;
  drop(): void;
}

/**
 * A large body lies in a region of its own, of pages that the system gives and takes back: `malloc` keeps
 * some of what it was asked for in such pieces, up to 130 MiB (glibc). It grows with what arrives, so
 * nothing is there twice, and it ends with its use instead of with the next collection.
 */
function createPile(maxBytes: number): Pile {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let region: ArrayBuffer | undefined;
  const put = (chunk: Buffer, to: ArrayBuffer) => {
    const end = bytes + chunk.length;
    if (end > to.byteLength) to.resize(Math.min(maxBytes, Math.ceil(end / LARGE_BYTES) * LARGE_BYTES));
    chunk.copy(new Uint8Array(to), bytes);
    bytes = end;
  };
  return {
    add(chunk) {
      if (region) return put(chunk, region);
      if (bytes + chunk.length <= LARGE_BYTES) {
        bytes += chunk.length;
        chunks.push(chunk);
        return;
      }
      region = new ArrayBuffer(0, { maxByteLength: maxBytes });
      bytes = 0;
      for (const early of [...chunks, chunk]) put(early, region);
      chunks = [];
    },
    body: () => (region ? Buffer.from(region, 0, bytes) : Buffer.concat(chunks, bytes)),
    drop() {
      region?.resize(0);
      chunks = [];
    },
  };
}

/** Resolves when the body is at its end. */
function arrival(request: IncomingMessage, take: (chunk: Buffer) => void, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(broken("it did not arrive in time"))), timeoutMs);
    const onData = (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        end(() => reject(error));
      }
    };
    const onEnd = () => end(resolve);
    const onBroken = () => end(() => reject(broken("it broke off")));
    const end = (settle: () => void) => {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("error", onBroken).off("close", onBroken);
      // Errors after the end of our interest must not end the process.
      request.on("error", () => {});
      request.pause();
      settle();
    };
    request.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onBroken);
  });
}

function tooLarge(maxBytes: number): RejectedDeliveryError {
  return new RejectedDeliveryError(413, {
    reason: "TooLarge",
    userMessage: `reading the body: it is larger than ${maxBytes} bytes`,
  });
}

function tooMany(): RejectedDeliveryError {
  return new RejectedDeliveryError(503, {
    reason: "Busy",
    userMessage: "reading the body: too much arrives at once, send it again",
  });
}

function broken(why: string): RejectedDeliveryError {
  return new RejectedDeliveryError(400, { reason: "BodyIncomplete", userMessage: `reading the body: ${why}` });
}
