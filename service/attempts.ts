/** Counts what somebody tried and got wrong, by where it came from; in this process alone, for it is this one that they load. */
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

export interface Attempts {
  /** Seconds until the next may be made; undefined while there is one left, which is taken. */
  spend(who: string): Promise<number | undefined>;
  /** Gives one back that was right. */
  refund(who: string): Promise<void>;
  /** As `spend`, and takes none. */
  waitOf(who: string): Promise<number | undefined>;
}

export function createAttempts({ most, seconds }: { readonly most: number; readonly seconds: number }): Attempts {
  const limiter = new RateLimiterMemory({ points: most, duration: seconds });
  return {
    async spend(who) {
      try {
        await limiter.consume(who);
        return undefined;
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return secondsOf(refusal);
        throw refusal;
      }
    },
    refund: async (who) => void (await limiter.reward(who)),
    async waitOf(who) {
      const spent = await limiter.get(who);
      return spent !== null && spent.consumedPoints >= most ? secondsOf(spent) : undefined;
    },
  };
}

/** A network of IPv6 (64 bits) is one customer's. */
export function neighbourhood(address: string): string {
  return address.includes(":") ? address.split(":", 4).join(":") : address;
}

function secondsOf({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
