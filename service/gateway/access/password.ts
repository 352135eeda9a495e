import { createAttempts, neighbourhood } from "../../attempts.ts";
import { sameSecret } from "../../session.ts";
import type { DoorMaker } from "./door.ts";

/** Wrong answers that one address, and all of them together, may give in a while. */
const WRONG = { ofAnAddress: 10, ofAll: 1_000, seconds: 600 } as const;

/** Opens to whoever knows the one password. */
export const passwordDoor: DoorMaker<"password"> = ({ secret, digest }, reference) => {
  const ofAddress = createAttempts({ most: WRONG.ofAnAddress, seconds: WRONG.seconds });
  const ofAll = createAttempts({ most: WRONG.ofAll, seconds: WRONG.seconds });
  return {
    mark: async () => `password:${digest(`password ${await secret(reference)}`)}`,
    async asks(given, { address }) {
      // Counted before it is compared, so that answers at once are counted too.
      const retryAfterSeconds = (await ofAddress.spend(neighbourhood(address))) ?? (await ofAll.spend("all"));
      if (retryAfterSeconds !== undefined) return { kind: "later", retryAfterSeconds };
      if (!sameSecret(given, await secret(reference))) return { kind: "wrong" };
      await Promise.all([ofAddress.refund(neighbourhood(address)), ofAll.refund("all")]);
      return { kind: "right" };
    },
  };
};
