/** How previews log in to their branches. Shapes as in PlanetScale's Go client, planetscale-go. */
import { z } from "zod";
import { StacklingError } from "../errors.ts";
import { anything, ask, path } from "../rest.ts";
import { pages } from "./branches.ts";
import type { Planetscale, PlanetscaleOptions } from "./options.ts";

/** A day. */
export const TTL_SECONDS = 86_400;

const passwordShape = z.object({
  id: z.string(),
  name: z.string(),
  username: z.string().optional(),
  access_host_url: z.string().optional(),
  plain_text: z.string().nullish(),
  expires_at: z.string().nullish(),
});

export type Password = z.infer<typeof passwordShape>;

export interface NewPassword {
  readonly branch: string;
  readonly name: string;
  readonly role: PlanetscaleOptions["role"];
}

export interface Login {
  readonly id: string;
  readonly username: string;
  readonly host: string;
  /** Secret; told once. */
  readonly word: string;
}

/** A password of a preview's own branch. Those of the same name go first: a killed create took what they are with it. */
export async function makePassword(api: Planetscale, { branch, name, role }: NewPassword): Promise<Login> {
  for (const old of await listPasswords(api, branch)) if (old.name === name) await deletePassword(api, branch, old.id);
  const action = `making a password for database branch "${branch}"`;
  const made = await ask(
    api,
    { action, method: "POST", path: path`/branches/${branch}/passwords`, body: { name, role, ttl: TTL_SECONDS } },
    passwordShape,
  );
  if (!made) {
    throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: PlanetScale has no such branch` });
  }
  const { id, username, access_host_url: host, plain_text: word } = made;
  if (username && host && word) return { id, username, host, word };
  await deletePassword(api, branch, id);
  throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: PlanetScale did not tell it` });
}

export async function listPasswords(api: Planetscale, branch: string): Promise<readonly Password[]> {
  const call = { action: `listing passwords of "${branch}"`, path: path`/branches/${branch}/passwords` };
  return pages(api, call, passwordShape);
}

/** Undefined when it is gone, or ended before anybody renewed it. */
export async function findPassword(api: Planetscale, branch: string, id: string): Promise<Password | undefined> {
  const call = { action: `looking for a password of "${branch}"`, path: path`/branches/${branch}/passwords/${id}` };
  const found = await ask(api, call, passwordShape);
  const end = found?.expires_at ? Date.parse(found.expires_at) : Number.POSITIVE_INFINITY;
  return end > Date.now() ? found : undefined;
}

/** Gives it another day from now. Undefined when it is gone. */
export async function renewPassword(api: Planetscale, branch: string, id: string): Promise<Password | undefined> {
  const action = `renewing the password of "${branch}"`;
  const call = { action, method: "POST", path: path`/branches/${branch}/passwords/${id}/renew` } as const;
  return ask(api, call, passwordShape);
}

/** Gone already is success. */
export async function deletePassword(api: Planetscale, branch: string, id: string): Promise<void> {
  const action = `revoking the password of "${branch}"`;
  await ask(api, { action, method: "DELETE", path: path`/branches/${branch}/passwords/${id}` }, anything);
}
