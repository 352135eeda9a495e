import type { FileResult } from "./test-file.ts";
import type { Outcome } from "./test-reporter.ts";

/** Kinds and `file > test` names whose skips are accepted; see `test/support/allowed-skips`. */
export function readAllowedSkips(text: string): ReadonlySet<string> {
  const lines = text.split("\n").map((line) => line.replace(/(^|\s)#.*$/, "").trim());
  return new Set(lines.filter((line) => line !== ""));
}

/** Counts outcomes and prints them as they come: a line a file, failures in full, skips at the end. */
export class TestReport {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #allowedSkips: ReadonlySet<string>;
  readonly #failures: string[] = [];
  readonly #skips: string[] = [];
  readonly #startedAt = performance.now();

  readonly #write: (text: string) => void;

  constructor({ allowedSkips, write }: { allowedSkips: ReadonlySet<string>; write: (text: string) => void }) {
    this.#allowedSkips = allowedSkips;
    this.#write = write;
  }

  add(result: FileResult): void {
    const failedBefore = this.failed;
    for (const outcome of result.outcomes) this.#count(result.file, outcome);
    const mark = this.failed > failedBefore ? "FAILED" : "ok    ";
    const seconds = (result.durationMs / 1000).toFixed(1);
    this.#write(`${mark} ${result.file} (${result.outcomes.length} in ${seconds} s)\n`);
  }

  /** Prints failures again where they are found, then the skips, then the one line. */
  end({ interrupted }: { interrupted: boolean }): void {
    if (this.#failures.length > 0) this.#write(`\n${this.#failures.join("\n")}\n`);
    if (this.#skips.length > 0) this.#write(`\nskipped:\n${this.#skips.join("\n")}\n`);
    if (interrupted) this.#write("interrupted: what was under way was killed\n");
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.#write(`\n${seconds} s\n${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped\n`);
  }

  #count(file: string, { outcome, name, detail }: Outcome): void {
    if (outcome === "passed") {
      this.passed += 1;
    } else if (outcome === "skipped" && this.#isAllowed(file, name, detail)) {
      this.skipped += 1;
      this.#skips.push(`  ${file} > ${name}: ${detail}`);
    } else {
      this.failed += 1;
      const why = outcome === "skipped" ? `skipped, but not on test/support/allowed-skips: ${detail}` : detail;
      this.#failures.push(`FAILED ${file} > ${name}\n${indent(why)}`);
    }
  }

  #isAllowed(file: string, name: string, detail: string): boolean {
    const kind = /^requires (\w+):/.exec(detail)?.[1];
    return this.#allowedSkips.has(`${file} > ${name}`) || (kind !== undefined && this.#allowedSkips.has(kind));
  }
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
