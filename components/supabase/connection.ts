/** How a preview reaches its branch: the server's URL, the project's address and keys. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { StacklingError } from "../errors.ts";
import { anything, ask, path, type RestApi } from "../rest.ts";
import type { Detail } from "./branches.ts";
import type { SupabaseOptions } from "./options.ts";

const poolerShape = z.object({
  database_type: z.string(),
  db_user: z.string(),
  db_host: z.string(),
  db_name: z.string(),
});

const keyShape = z.object({ name: z.string(), api_key: z.string().nullish() });

/** Supabase docs, "Connect to your database": its pooler keeps sessions on one port, and not on the other. */
const PORTS = { session: 5432, transaction: 6543 } as const;

/** Secret. As `postgres`, who owns the branch's database. */
export async function urlOf(api: RestApi, detail: Detail, kind: SupabaseOptions["connection"]): Promise<string> {
  const { ref, db_user: user, db_pass: password, db_host: host, db_port: port } = detail;
  const action = `reading how to connect to project "${ref}"`;
  if (user === undefined || password === undefined) {
    throw new StacklingError({
      reason: "TargetForbidden",
      userMessage: `${action}: Supabase does not tell this access token the password; take the token of a person or application that may administer the project`,
    });
  }
  if (kind === "direct") return connectionUrl({ user, password, host, port, name: "postgres" });
  const call = { action, path: path`/projects/${ref}/config/database/pooler` };
  const pooler = (await ask(api, call, z.array(poolerShape)))?.find((one) => one.database_type === "PRIMARY");
  if (!pooler) {
    const userMessage = `${action}: Supabase has no pooler for it yet`;
    throw new StacklingError({ reason: "DatabaseFailed", userMessage });
  }
  return connectionUrl({
    user: pooler.db_user,
    password,
    host: pooler.db_host,
    port: PORTS[kind],
    name: pooler.db_name,
  });
}

/** The same URL with another password. */
export function withPassword(url: string, password: string): string {
  const changed = new URL(url);
  changed.password = encodeURIComponent(password);
  return changed.href;
}

/** The names that Supabase's CLI gives them: `SUPABASE_URL`, and `SUPABASE_<NAME>_KEY` of each. Secret. */
export async function environmentOf(api: RestApi, ref: string): Promise<Readonly<Record<string, string>>> {
  const call = { action: `reading the keys of project "${ref}"`, path: path`/projects/${ref}/api-keys` };
  const keys = (await ask(api, { ...call, query: { reveal: "true" } }, z.array(keyShape))) ?? [];
  const entries = keys.flatMap(({ name, api_key: key }) => {
    const variable = `SUPABASE_${name.toUpperCase()}_KEY`;
    return key && GIVEN.includes(variable) ? [[variable, key]] : [];
  });
  return { ...Object.fromEntries(entries), SUPABASE_URL: `https://${ref}.supabase.co` };
}

export const GIVEN: readonly string[] = ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"];

/** Gives the branch's server another password, which is returned; secret. */
export async function changePassword(api: RestApi, ref: string): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  const action = `setting a password for project "${ref}"`;
  const at = path`/projects/${ref}/database/password`;
  const done = await ask(api, { action, method: "PATCH", path: at, body: { password } }, anything);
  if (done !== undefined) return password;
  throw new StacklingError({ reason: "DatabaseFailed", userMessage: `${action}: Supabase has no such project` });
}

interface Login {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  readonly name: string;
}

function connectionUrl({ user, password, host, port, name }: Login): string {
  const [as, word, database] = [user, password, name].map(encodeURIComponent);
  return `postgres://${as}:${word}@${host}:${port}/${database}?sslmode=require`;
}
