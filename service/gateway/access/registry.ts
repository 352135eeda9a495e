import type { DoorMaker, DoorName } from "./door.ts";

/** Every kind of door; adding one is a file, an entry here and its options in `config/access-schema.ts`. */
export const doors: { readonly [Name in DoorName]: () => Promise<DoorMaker<Name>> } = {
  password: async () => (await import("./password.ts")).passwordDoor,
  ip: async () => (await import("./ip.ts")).ipDoor,
  oidc: async () => (await import("./oidc.ts")).oidcDoor,
  forge: async () => (await import("./forge.ts")).forgeDoor,
};
