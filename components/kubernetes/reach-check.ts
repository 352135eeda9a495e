/** Whether a further cluster's ingress lets the gateway in; for `doctor`. */
import { request as plainRequest } from "node:http";
import { type RequestOptions, request as secureRequest } from "node:https";
import { isIP } from "node:net";
import { StacklingError } from "../errors.ts";
import type { Finding, Reach } from "../ports.ts";
import { type Ingress, readReach } from "./reach.ts";

const WITHIN_MS = 5_000;

/**
 * Asks the ingress once as the gateway does, for a host that is no preview's: any answer but a refusal will do.
 * Never rejects and tells no value.
 */
export async function checkReach(ingress: Ingress): Promise<readonly Finding[]> {
  const where = `the ingress "${ingress.host}:${ingress.port}"`;
  try {
    const reach = await readReach(ingress);
    const header = reach.header ? ` with the header "${reach.header.name}"` : "";
    const status = await statusOf(ingress, reach);
    if (status !== 401 && status !== 403) return [{ ok: true, what: `${where} answers${header}` }];
    return [{ ok: false, what: `${where} refuses the gateway${header}: it answers ${status}`, remedy: REMEDY }];
  } catch (error) {
    if (error instanceof StacklingError) return [{ ok: false, what: error.userMessage, remedy: REMEDY }];
    const code = error instanceof Error && "code" in error ? String(error.code) : "no answer";
    const closed = code === "ECONNRESET" && ingress.header ? `, as for a wrong header "${ingress.header.name}"` : "";
    return [{ ok: false, what: `reaching ${where}: ${code}${closed}`, remedy: REMEDY }];
  }
}

const REMEDY = "correct the target's option `reach`, what its references lead to, or that ingress";

function statusOf({ host, port }: Ingress, { tls, header }: Reach): Promise<number | undefined> {
  const options: RequestOptions = {
    host,
    port,
    agent: false,
    signal: AbortSignal.timeout(WITHIN_MS),
    headers: { host, ...(header && { [header.name]: header.value }) },
    ...(tls && {
      servername: isIP(tls.serverName) === 0 ? tls.serverName : "",
      rejectUnauthorized: true,
      ...(tls.ca && { ca: tls.ca }),
    }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const request = tls ? secureRequest(options) : plainRequest(options);
  request.once("error", reject);
  request.once("response", (response) => {
    resolve(response.statusCode);
    response.destroy();
  });
  request.end();
  return promise;
}
