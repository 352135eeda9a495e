/**
 * What an App's installation may ask of what the front answers in place of the emulator, which asks for rights by
 * itself (GitHub docs, "Permissions required for GitHub Apps", 2022-11-28).
 */

/** By the right's name in a manifest. */
export type Rights = Readonly<Record<string, "read" | "write">>;

const NEEDED: readonly (readonly [RegExp, right: string])[] = [
  [/^\/repos\/[^/]+\/[^/]+\/statuses\//, "statuses"],
  [/^\/repos\/[^/]+\/[^/]+\/deployments(\/|\?|$)/, "deployments"],
  [/^\/repos\/[^/]+\/[^/]+\/dispatches$/, "contents"],
];

/** False where GitHub answers 403, "Resource not accessible by integration". */
export function mayAsk(
  granted: Rights,
  { method, path, authorization = "" }: { method: string; path: string; authorization?: string },
): boolean {
  const [, right] = NEEDED.find(([pattern]) => pattern.test(path)) ?? [];
  const isInstallation = /^(token|bearer) ghs_/i.test(authorization);
  if (!isInstallation || right === undefined) return true;
  return granted[right] === "write" || (granted[right] === "read" && method === "GET");
}
