/** `npm run chaos -- --disk`: prints each fault as it ends. */
import process from "node:process";
import { diskFaults } from "./faults.ts";

/** Resolves with the exit code, 2 for anyone but root; rejects when `signal` aborts. */
export async function runDiskFaults(signal: AbortSignal): Promise<number> {
  if (process.getuid?.() !== 0) {
    console.error("only root may mount the small disks that are filled here");
    return 2;
  }
  const results = await diskFaults(({ name, ms, problems }) => {
    const end = problems.length === 0 ? "held" : problems.map((problem) => `\n    ${problem}`).join("");
    console.log(`${name} (${(ms / 1000).toFixed(1)} s): ${end}`);
  }, signal);
  const broken = results.filter(({ problems }) => problems.length > 0).length;
  console.log(`${results.length} faults of the disk: ${broken} did not hold`);
  return broken > 0 ? 1 : 0;
}
