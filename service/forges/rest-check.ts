/** What `doctor` says of forges that are asked by `rest-client.ts`, as far as it is the same. */
import { StacklingError } from "../../components/errors.ts";
import type { ForgeFinding } from "./forge.ts";

/** What was found; an outage is a finding too. */
export async function findingsOf(
  repository: string,
  read: () => Promise<readonly ForgeFinding[]>,
): Promise<readonly ForgeFinding[]> {
  try {
    return await read();
  } catch (error) {
    const what = error instanceof StacklingError ? error.userMessage : `reading repository "${repository}" failed`;
    return [{ ok: false, what, remedy: "check `url`, the path and the token" }];
  }
}

/** Whether a server is new enough. A build of a development version has a name and no number, and counts as such. */
export function versionFinding({
  what,
  name,
  version,
  oldest,
}: {
  readonly what: string;
  readonly name: string;
  readonly version: string;
  readonly oldest: readonly [major: number, minor: number];
}): ForgeFinding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  if (!isOld) return { ok: true, what };
  return {
    ok: false,
    what: `${what}, which is too old`,
    remedy: `update it: ${name} ${oldest.join(".")} is the oldest`,
  };
}
