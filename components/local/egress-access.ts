/** How previews find the egress proxy and show it who they are; and what is written down of where each may go. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { proxyVariables } from "../service/proxy.ts";
import { withFileLock } from "./file-lock.ts";
import { readJson, writeJson } from "./json-file.ts";
import { layout } from "./layout.ts";

/** 0600, of the data folder. */
export interface EgressAccess {
  /** Of the proxy, on 127.0.0.1; 0 where it never listened. */
  readonly port: number;
  /** The previews' passwords come of it. */
  readonly secret: string;
}

/** Of one preview; what the proxy and the firewall go by. */
export interface EgressFile {
  /** Public hosts. */
  readonly hosts: readonly string[];
  /** Hosts and addresses that the operator named. */
  readonly trusted: readonly string[];
  /** `host:port` of what is reached without the proxy: the database, and what the operator named. */
  readonly direct: readonly string[];
  /** Ports of this machine that are open to it. */
  readonly ports: readonly number[];
  /** Its system user; absent where it has none. */
  readonly user?: number;
}

export async function readEgressAccess(dataDir: string): Promise<EgressAccess | undefined> {
  return readJson<EgressAccess>(layout(dataDir).egress);
}

/** Makes the secret where there is none. With `port`: writes down where the proxy listens. */
export async function keepEgressAccess(dataDir: string, port?: number): Promise<EgressAccess> {
  const path = layout(dataDir).egress;
  return withFileLock(`${path}.lock`, async () => {
    const known = await readEgressAccess(dataDir);
    const access = {
      port: port ?? known?.port ?? 0,
      secret: known?.secret ?? randomBytes(32).toString("base64url"),
    };
    if (known?.port !== access.port || known.secret !== access.secret) await writeJson(path, access);
    return access;
  });
}

export async function readEgress(dataDir: string, stack: string): Promise<EgressFile | undefined> {
  return readJson<EgressFile>(layout(dataDir).preview(stack).egress);
}

/** Secret; the same for the whole life of the data folder, so that a process goes on with the one it was given. */
export function egressPassword({ secret }: EgressAccess, stack: string): string {
  return createHmac("sha256", secret).update(stack).digest("base64url");
}

export function isEgressPassword(access: EgressAccess, stack: string, password: string): boolean {
  const [expected, given] = [egressPassword(access, stack), password].map((text) =>
    createHmac("sha256", access.secret).update(text).digest(),
  );
  return expected !== undefined && given !== undefined && timingSafeEqual(expected, given);
}

/** Variables by which programs go through the proxy, and those of their values that are secret; none for a preview that may go anywhere. */
export async function egressEnvironment(
  dataDir: string,
  stack: string,
): Promise<{ readonly variables: Record<string, string>; readonly secrets: readonly string[] }> {
  const [access, egress] = await Promise.all([readEgressAccess(dataDir), readEgress(dataDir, stack)]);
  if (!egress) return { variables: {}, secrets: [] };
  const password = access ? egressPassword(access, stack) : "";
  const proxy = access ? `http://${stack}:${password}@127.0.0.1:${access.port}` : "http://127.0.0.1:0";
  // What runs on this machine is a firewall's to judge, where there is one.
  return { variables: proxyVariables(proxy, []), secrets: access ? [password] : [] };
}
