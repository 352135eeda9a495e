import { setTimeout as pause } from "node:timers/promises";
import { probe } from "../../components/local/health.ts";
import { listReleases, listStacks, readState } from "../../components/local/release-files.ts";

const RESTORE_WITHIN_MS = 20_000;
const ASK_EVERY_MS = 50;
const ANSWER_WITHIN_MS = 2_000;

/**
 * Waits until every web service that was awake before answers again, so that the first link that is
 * shown works; one that does not within 20 s is left to the supervisor. Calls `onWait` when there is
 * one to wait for.
 */
export async function servicesRestored(dataDir: string, onWait: () => void): Promise<void> {
  const deadline = performance.now() + RESTORE_WITHIN_MS;
  const releases = (await Promise.all((await listStacks(dataDir)).map((stack) => listReleases(dataDir, stack)))).flat();
  await Promise.all(
    releases.map(async (release) => {
      const { kind, port, healthPath } = release.launch;
      const state = await readState(release);
      if (kind !== "web" || state?.phase !== "ready" || state.desired !== "running") return;
      while (performance.now() < deadline && !(await probe(port, healthPath, ANSWER_WITHIN_MS)).ok) {
        onWait();
        await pause(ASK_EVERY_MS);
      }
    }),
  );
}
