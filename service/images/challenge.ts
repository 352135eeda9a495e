/** What a registry asks for in `WWW-Authenticate`: RFC 7235, and the token flow of distribution's docs, "Token Authentication". Pure. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service?: string; readonly scope?: string };

/** The challenge that can be answered, a token before a password; undefined when there is none. */
export function parseChallenge(header: string | null): Challenge | undefined {
  if (header === null) return undefined;
  const bearer = /(?:^|,)\s*bearer\s+/i.exec(header);
  if (bearer) {
    const { realm, service, scope } = parametersOf(header.slice(bearer.index + bearer[0].length));
    if (realm) return { scheme: "bearer", realm, ...(service ? { service } : {}), ...(scope ? { scope } : {}) };
  }
  return /(?:^|,)\s*basic(?:\s|,|$)/i.test(header) ? { scheme: "basic" } : undefined;
}

/** `name="value"` or `name=value`, up to where the next challenge begins. */
function parametersOf(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const parameter = /[\s,]*([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/iy;
  for (let match = parameter.exec(text); match; match = parameter.exec(text)) {
    found[(match[1] ?? "").toLowerCase()] = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
  }
  return found;
}
