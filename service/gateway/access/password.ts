import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { sameSecret } from "../../session.ts";
import type { DoorMaker } from "./door.ts";

/** Wrong answers that one address, and all of them together, may give in a while. */
const WRONG = { ofAnAddress: 10, ofAll: 1_000, seconds: 600 } as const;

/** Opens to whoever knows the one password. */
export const passwordDoor: DoorMaker<"password"> = ({ secret, digest }, reference) => {
  const ofAddress = new RateLimiterMemory({ points: WRONG.ofAnAddress, duration: WRONG.seconds });
  const ofAll = new RateLimiterMemory({ points: WRONG.ofAll, duration: WRONG.seconds });
  return {
    mark: async () => `password:${digest(`password ${await secret(reference)}`)}`,
    async asks(given, { address }) {
      // Counted before it is compared, so that answers at once are counted too.
      const retryAfterSeconds = (await spend(ofAddress, neighbourhood(address))) ?? (await spend(ofAll, "all"));
      if (retryAfterSeconds !== undefined) return { kind: "later", retryAfterSeconds };
      if (!sameSecret(given, await secret(reference))) return { kind: "wrong" };
      await Promise.all([ofAddress.reward(neighbourhood(address)), ofAll.reward("all")]);
      return { kind: "right" };
    },
  };
};

/** Seconds until the next may be given; undefined while there is one left. */
async function spend(limiter: RateLimiterMemory, who: string): Promise<number | undefined> {
  try {
    await limiter.consume(who);
    return undefined;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.ceil(refusal.msBeforeNext / 1000);
    throw refusal;
  }
}

/** A network of IPv6 (64 bits) is one customer's. */
function neighbourhood(address: string): string {
  return address.includes(":") ? address.split(":", 4).join(":") : address;
}
