import { StacklingError } from "../../components/errors.ts";

/** An admin has yet to connect the forge, on a page of ours that the message names. */
export class NotConnected extends StacklingError {
  constructor(forge: "GitHub" | "GitLab", why: string) {
    super({ reason: "Unreachable", userMessage: `asking ${forge}: ${why}` });
  }
}
