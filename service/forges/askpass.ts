import { fileURLToPath } from "node:url";

/**
 * Environment in which git asks the script for name and password; the token lies in that git's environment only.
 *
 * @param login what the forge wants for a name beside a token; most take any
 */
export function askpass(url: string, token: string, login = "x-access-token"): Record<string, string> {
  const { protocol, host } = new URL(url);
  return {
    GIT_ASKPASS: fileURLToPath(new URL("./git-askpass.sh", import.meta.url)),
    GIT_TERMINAL_PROMPT: "0",
    STACKLING_GIT_ORIGIN: `${protocol}//${host}`,
    STACKLING_GIT_LOGIN: login,
    STACKLING_GIT_LOGIN_ORIGIN: `${protocol}//${login}@${host}`,
    STACKLING_GIT_TOKEN: token,
  };
}
