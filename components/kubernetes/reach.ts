/** How the gateway reaches a further cluster: by one ingress of it, over TLS, with a header that only the gateway knows. */
import { validateHeaderName, validateHeaderValue } from "node:http";
import { isIP } from "node:net";
import { z } from "zod";
import { credential, readCredential } from "../credential.ts";
import { StacklingError } from "../errors.ts";
import type { Reach } from "../operations.ts";

/** Frames the message, or is the application's or the gateway's own. */
const TAKEN = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect", "keep-alive"],
  ...["authorization", "proxy-authorization", "cookie", "origin", "forwarded", "content-type"],
]);
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;

const tls = z
  .union([
    z.strictObject({
      ca: credential
        .optional()
        .describe("Where the certificates (PEM) lie that the ingress's is checked by, in place of the public ones."),
      serverName: z
        .string()
        .min(1)
        .refine((name) => isIP(name) === 0, "must be a name; an IP address is checked where it is the `host`")
        .optional()
        .describe("Name that the ingress's certificate must bear and is asked for by; `host` by default."),
    }),
    z.literal(true),
  ])
  .optional()
  .describe("The gateway dials that ingress by TLS and checks its certificate; `true`: by the public authorities.");

const header = z
  .strictObject({
    name: z
      .string()
      .toLowerCase()
      .refine(isHeaderName, "must be a name for a header of your own, such as `x-stackling-gateway`")
      .describe("Its name, such as `x-stackling-gateway`; a visitor's own header of that name is dropped."),
    value: credential.describe("Where its value lies: an environment variable or a file, read again as it changes."),
  })
  .optional()
  .describe("Sent with every request, so that the ingress can refuse whoever is not the gateway. Needs `tls`.");

export const reach = z
  .union([
    z
      .strictObject({
        host: z.string(),
        port: z.int().min(1).max(65535),
        ingressClass: z.string(),
        annotations: z.record(z.string(), z.string()).default({}),
        tls,
        header,
      })
      .refine((one) => one.header === undefined || one.tls !== undefined || LOOPBACK.test(one.host), {
        path: ["header"],
        message: "needs `tls` beside it: without, its value would cross the network in plain text",
      }),
    z.literal("cluster"),
  ])
  .default("cluster")
  .describe(
    "How the gateway reaches services: by their names in its own cluster, or through an ingress controller of a further cluster, to which it sends the preview's Host. That controller must answer nobody but the gateway: see Further clusters.",
  );

type ReachOptions = z.infer<typeof reach>;
export type Ingress = Exclude<ReachOptions, "cluster">;

/**
 * With the values that its references lead to now. Rejects with `StacklingError` (`SecretMissing`, `TargetInvalid`)
 * that names the option and the place, never a value.
 */
export async function readReach({ host, port, tls, header }: Ingress): Promise<Reach> {
  const ingress = `the ingress "${host}:${port}"`;
  const read: { tls?: Reach["tls"]; header?: Reach["header"] } = {};
  if (tls !== undefined) {
    const { ca, serverName = host } = tls === true ? {} : tls;
    read.tls = {
      serverName,
      ...(ca && { ca: await readAuthority(ca, `what the certificate of ${ingress} is checked by`) }),
    };
  }
  if (header) {
    const what = `the header "${header.name}" for ${ingress}`;
    const value = await readCredential(header.value, what);
    if (!isAllowed(() => validateHeaderValue(header.name, value))) {
      throw invalid(`reading ${what}: the value holds characters that no header may hold, such as a line's end`);
    }
    read.header = { name: header.name, value };
  }
  return read;
}

async function readAuthority(ca: z.infer<typeof credential>, what: string): Promise<string> {
  const text = await readCredential(ca, what);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw invalid(`reading ${what}: there is no certificate in PEM where "reach.tls.ca" leads`);
}

function invalid(userMessage: string): StacklingError {
  return new StacklingError({ reason: "TargetInvalid", userMessage });
}

function isHeaderName(name: string): boolean {
  return isAllowed(() => validateHeaderName(name)) && !TAKEN.has(name) && !name.startsWith("x-forwarded-");
}

function isAllowed(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
