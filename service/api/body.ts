/** Raw bodies, bounded in size, in time and in how many large ones are in memory at once. */
import type { IncomingMessage } from "node:http";
import { RejectedDeliveryError } from "../../components/errors.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** Bodies over 1 MiB that may be read at once. */
  readonly largeBodies: number;
  readonly timeoutMs?: number;
}

const LARGE_BYTES = 1024 * 1024;
/** For all that are not large: thousands of deliveries, or a stranger's many that are just not large. */
const SMALL_TOTAL_BYTES = 64 * 1024 * 1024;

/**
 * The result reads a body or throws `RejectedDeliveryError`: 413 over the limit, 503 when too much is
 * being read at once, 400 when it does not come in time or breaks off.
 */
export function createBodyReader({ maxBytes, largeBodies, timeoutMs = 10_000 }: BodyLimits) {
  const heldMax = maxBytes * largeBodies + SMALL_TOTAL_BYTES;
  let reading = 0;
  let held = 0;

  return async (request: IncomingMessage): Promise<Buffer> => {
    let counted = false;
    let arrived = 0;
    const claimed = Number(request.headers["content-length"] ?? 0);
    // The claim is not trusted: what arrives is counted too.
    const admit = (bytes: number) => {
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      if (counted || bytes <= LARGE_BYTES) return;
      if (reading >= largeBodies) throw tooMany();
      counted = true;
      reading += 1;
    };
    const take = (bytes: number) => {
      held += bytes - arrived;
      arrived = bytes;
      if (held > heldMax) throw tooMany();
      admit(bytes);
    };
    try {
      admit(claimed);
      return await collect(request, take, timeoutMs);
    } finally {
      held -= arrived;
      if (counted) reading -= 1;
    }
  };
}

function collect(request: IncomingMessage, take: (bytes: number) => void, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => end(() => reject(broken("it did not arrive in time"))), timeoutMs);
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      try {
        take(bytes);
        chunks.push(chunk);
      } catch (error) {
        end(() => reject(error));
      }
    };
    const onEnd = () => end(() => resolve(Buffer.concat(chunks, bytes)));
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
