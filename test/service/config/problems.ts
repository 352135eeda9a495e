import { ConfigError } from "../../../components/errors.ts";

/** What a reader of a config finds wrong, line by line; empty when it finds nothing. */
export function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.userMessage.split("\n");
    throw error;
  }
  return [];
}
