import { StacklingError } from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import type { BaselineConfig } from "../config/baselines.ts";
import { resolveSecret } from "../secret-reference.ts";
import { kindOfDump } from "./fill.ts";
import { refuseOlder, refuseUnreadable } from "./programs.ts";

/** What `doctor` says of the programs that a baseline's source needs, before a build at night does. Reads no row. */
export async function checkSource(
  { name, source }: Pick<BaselineConfig, "name" | "source">,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly Finding[]> {
  const read = (program: string): Finding => ({
    ok: true,
    what: `the source of baseline "${name}" is read by ${program}`,
  });
  try {
    if (source.kind === "url") {
      return [read(`pg_dump ${await refuseOlder(await resolveSecret(source.url), { environment })}`)];
    }
    if (source.kind === "dump" && (await kindOfDump(source.file)) === "archive") {
      return [read(`pg_restore ${await refuseUnreadable(source.file, { environment })}`)];
    }
    return [];
  } catch (error) {
    if (!(error instanceof StacklingError)) throw error;
    const what = `the source of baseline "${name}" cannot be read: ${error.userMessage}`;
    return [{ ok: false, what, remedy: "mend what it says, on the machine that runs Stackling" }];
  }
}
