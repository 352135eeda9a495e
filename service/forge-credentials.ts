/** What a forge was given from the pages, as it reads and changes it: plain here, sealed in the store. */
import type { ForgeGround } from "./forges/forge.ts";
import { type ForgeCredentialStore, sealer } from "./store/forge-credentials.ts";

export interface CredentialsDeps {
  readonly store: Pick<ForgeCredentialStore, "forgeCredential" | "changeForgeCredential">;
  /** Seals; the same for every replica. */
  readonly token: string;
}

/** What was sealed with another token is not there. */
export function credentialsFor({ store, token }: CredentialsDeps, forge: string): Pick<ForgeGround, "kept" | "change"> {
  const seal = sealer(token);
  return {
    async kept() {
      const held = await store.forgeCredential(forge);
      return held && seal.open(held.sealed);
    },
    change: (change) =>
      store.changeForgeCredential(forge, async (sealed) => {
        const before = sealed === undefined ? undefined : seal.open(sealed);
        const after = await change(before);
        return sealed !== undefined && after === before ? sealed : seal.seal(after);
      }),
  };
}
