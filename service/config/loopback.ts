const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** True where nobody can listen in: this machine's own names are the one place where what is sent needs no encryption. */
export function isHttpsOrLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));
}
