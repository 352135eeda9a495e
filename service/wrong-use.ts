import { TerminalError } from "../components/errors.ts";

/** The caller must ask differently: one clear line, exit code 2, and nothing was touched. */
export class WrongUse extends TerminalError {
  constructor(userMessage: string, cause?: unknown) {
    super({ reason: "WrongUse", userMessage, cause });
  }
}
