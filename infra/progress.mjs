import process from "node:process";

const plainEveryMs = 15_000;

/**
 * Runs `work` and tells on stderr what is being done and for how long: one line that counts seconds
 * on a terminal, otherwise a line at the start, every 15 seconds and at the end.
 *
 * @template T
 * @param {string} label what is being done, such as `building the Pulumi engine (once, some minutes)`
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(label, work) {
  const startedAt = performance.now();
  const elapsed = () => `${Math.round((performance.now() - startedAt) / 1000)} s`;
  const terminal = process.stderr.isTTY === true;
  const draw = () =>
    process.stderr.write(terminal ? `\r\u001b[2K${label} … ${elapsed()}` : `${label} … ${elapsed()}\n`);
  const timer = setInterval(draw, terminal ? 1_000 : plainEveryMs);
  process.stderr.write(terminal ? `${label} …` : `${label} …\n`);
  const end = (/** @type {string} */ word) => {
    clearInterval(timer);
    process.stderr.write(`${terminal ? "\r\u001b[2K" : ""}${label}: ${word} (${elapsed()})\n`);
  };
  try {
    const result = await work();
    end("done");
    return result;
  } catch (error) {
    end("failed");
    throw error;
  }
}
