import { StacklingError } from "../../components/errors.ts";

/** Not written, for more would be too much for the forge: what is newest by then is to be written instead. */
export class HeldBack extends StacklingError {
  readonly heldMs: number;

  constructor(action: string, heldMs: number) {
    const seconds = Math.ceil(heldMs / 1000);
    super({
      reason: "RateLimited",
      userMessage: `${action}: held back for ${seconds} s, to keep to the forge's limit of writes`,
    });
    this.heldMs = heldMs;
  }
}
