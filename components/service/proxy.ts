/** The proxy by which previews leave a network of the operator's: his own, with a list of hosts of his own. */
import { z } from "zod";

export const proxyUrl = z
  .string()
  .refine(isProxy, 'must be the address of an HTTP proxy such as "http://egress.internal:3128", without a password')
  .describe(
    "Address of a proxy with a list of hosts, such as `http://egress.internal:3128`; every container is told of it (`HTTPS_PROXY` and its like).",
  );

interface HasEnvironment {
  readonly environment: Readonly<Record<string, string>>;
}

/** With the variables by which programs find the proxy; `inside` are names that are reached without it. */
export function withProxy<A extends HasEnvironment>(
  args: A,
  { proxy, inside }: { readonly proxy: string | undefined; readonly inside: readonly string[] },
): A {
  if (proxy === undefined) return args;
  return { ...args, environment: { ...proxyVariables(proxy, inside), ...args.environment } };
}

/** Whatever the case of their letters, programs look for one of them. */
export function proxyVariables(proxy: string, inside: readonly string[]): Record<string, string> {
  const named = {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: ["localhost", ".localhost", "127.0.0.1", "::1", "[::1]", ...inside].join(","),
  };
  const lower = Object.fromEntries(Object.entries(named).map(([name, value]) => [name.toLowerCase(), value]));
  // Node's own clients go by these variables only when told to: nodejs.org/api/cli.html.
  return { ...named, ...lower, NODE_USE_ENV_PROXY: "1" };
}

export function portOfProxy(proxy: string): number {
  const { port, protocol } = new URL(proxy);
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function isProxy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  const plain = username === "" && password === "" && pathname === "/" && search === "" && hash === "";
  return /^https?:$/.test(protocol) && plain;
}
