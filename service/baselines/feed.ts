/** What some work says while it goes on, for any number of readers, from its first word. */
export interface Feed<Line> {
  /** Settles with the work. */
  readonly done: Promise<void>;
  /** From the beginning to the end; rejects as the work does. */
  lines(): AsyncGenerator<Line>;
}

/** The work begins at once. */
export function createFeed<Line>(work: (say: (line: Line) => void) => Promise<void>): Feed<Line> {
  const said: Line[] = [];
  let isOver = false;
  let news = Promise.withResolvers<void>();
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const done = work((line) => {
    said.push(line);
    tell();
  }).finally(() => {
    isOver = true;
    tell();
  });
  // Whoever reads the lines is told; nobody may be.
  done.catch(() => undefined);
  return {
    done,
    async *lines() {
      for (let at = 0; ; ) {
        const next = said[at];
        if (next !== undefined) {
          at += 1;
          yield next;
        } else if (isOver) break;
        else await news.promise;
      }
      await done;
    },
  };
}
