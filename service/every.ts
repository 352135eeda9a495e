/**
 * Runs `work`, which never rejects, every `everyMs`, and never twice at once. `close` resolves when what runs
 * has ended.
 */
export function every(everyMs: number, work: () => Promise<void>): { close(): Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work().finally(() => {
      running = undefined;
    });
  }, everyMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
