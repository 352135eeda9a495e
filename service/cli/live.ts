/** What changes while one looks: lines drawn over again on a terminal, a line per change anywhere else. */
import type { CliContext, Screen } from "./context.ts";
import { colorsFor, printLine } from "./output.ts";

/** Lines at the bottom of a terminal; what was shown before is replaced. */
export interface Block {
  show(lines: readonly string[]): void;
  /** Leaves what is shown where it is, so that other words can follow. */
  leave(): void;
}

export interface Activity {
  /** What is going on from now on, in a few words. */
  say(doing: string): void;
  /** Over: nothing of it stays on a terminal. */
  end(): void;
}

export type Part = readonly [text: string, paint?: (text: string) => string];

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"] as const;
export const FRAME_MS = 100;

export function isTerminal({ isTTY, columns }: Screen, { TERM }: NodeJS.ProcessEnv): boolean {
  return isTTY === true && columns !== undefined && TERM !== "dumb";
}

/** Where lines of the log come on the same terminal nothing is drawn over, or they would be. */
export function besideLog(context: CliContext, log: "file" | "stderr" | undefined): CliContext {
  if (log !== "stderr" || context.stderr.isTTY !== true) return context;
  return { ...context, environment: { ...context.environment, TERM: "dumb" } };
}

/** The picture of something going on, by time. */
export function frameAt(ms: number): string {
  return FRAMES[Math.floor(ms / FRAME_MS) % FRAMES.length] ?? "";
}

export function createBlock(screen: Screen): Block {
  let drawn = 0;
  return {
    show(lines) {
      const up = drawn > 0 ? `\u001b[${drawn}A\r` : "";
      screen.write(`${up}\u001b[J${lines.map((line) => `${line}\n`).join("")}`);
      drawn = lines.length;
    },
    leave() {
      drawn = 0;
    },
  };
}

/** One line for what takes its time, with the seconds it has taken; always on stderr. */
export function createActivity({ stderr, environment }: CliContext): Activity {
  let said = "";
  if (!isTerminal(stderr, environment)) {
    return {
      say(doing) {
        if (doing !== said) printLine(stderr, `${doing} …`);
        said = doing;
      },
      end: () => undefined,
    };
  }
  const block = createBlock(stderr);
  const colors = colorsFor(stderr, environment);
  const startedAt = performance.now();
  const draw = () => {
    const ms = performance.now() - startedAt;
    const seconds = ms < 1_000 ? "" : `  ${Math.floor(ms / 1_000)} s`;
    block.show([fitted([[frameAt(ms), colors.cyan], [` ${said}`], [seconds, colors.dim]], stderr.columns)]);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    say(doing) {
      said = doing;
      timer ??= setInterval(draw, FRAME_MS);
      draw();
    },
    end() {
      clearInterval(timer);
      if (timer) block.show([]);
      timer = undefined;
    },
  };
}

/** The parts in one line of at most `columns`; what comes last is cut first. */
export function fitted(parts: readonly Part[], columns = Number.POSITIVE_INFINITY): string {
  let room = columns - 1;
  return parts
    .map(([text, paint = plain]) => {
      const letters = [...text];
      const cut = letters.length <= room ? text : room > 0 ? `${letters.slice(0, room - 1).join("")}…` : "";
      room -= Math.min(letters.length, Math.max(room, 0));
      return cut ? paint(cut) : "";
    })
    .join("");
}

function plain(text: string): string {
  return text;
}
