/** Who may see previews, as the rest of the program uses it. */
import type { SecretReference } from "./types.ts";

export type AccessConfig =
  | { readonly kind: "public" }
  | {
      /** `undecided`: nobody has said, and the hosts can be guessed. */
      readonly kind: "doors" | "undecided";
      /** None: share links and the token of test runners alone open it. */
      readonly doors: DoorOptions;
      readonly satisfy: "all" | "any";
      /** Services that everybody may reach all the same. */
      readonly openServices?: readonly string[];
      /** Token of test runners. */
      readonly bypass?: SecretReference;
      /** How long a share link may last; undefined: there are none. */
      readonly shareSeconds?: number;
    };

/** What each kind of door is made from. */
export interface DoorOptions {
  readonly password?: SecretReference;
  /** Addresses and networks. */
  readonly ip?: readonly string[];
  readonly oidc?: OidcOptions;
  readonly forge?: ForgeLoginOptions;
}

/** A login at a provider of OpenID Connect. */
export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: SecretReference;
  /** Who of those whom the provider knows. */
  readonly allow: "everyone" | { readonly domains?: readonly string[]; readonly emails?: readonly string[] };
  /** `assume`: an address of which the provider does not say whether it has checked it is believed. */
  readonly emailVerified?: "assume";
  /** Where, as people call it; undefined: the issuer's host. */
  readonly label?: string;
}

/** A login at the repository's own forge. */
export interface ForgeLoginOptions {
  readonly clientId: string;
  readonly clientSecret: SecretReference;
  /** What of the repository its visitors must be able to do. */
  readonly needs: "read" | "write";
  /** Default: the one that suffices at that forge. */
  readonly scope?: string;
}

/** What an application asks for on top of the operator's access. */
export interface ApplicationAccess {
  readonly ip?: readonly string[];
  readonly shareLinks?: false;
}
