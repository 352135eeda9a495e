/** Where a forge's deliveries come in, and whether they can. */
export interface HookPlace {
  /** Where deliveries come in, `https://preview.acme.dev/webhooks/gitea`; undefined where that is not known. */
  readonly webhookUrl: string | undefined;
  /** Where the server is. */
  readonly serverUrl: string;
  /** It signs with the first. None: nothing is listened for. */
  readonly secrets: readonly string[];
  /** False: somebody else makes the hook, for the repository, its owner or the whole server. */
  readonly make: boolean;
}

/** Only a server on this machine can call an address that is this machine's alone. */
export function canReach(serverUrl: string, webhookUrl: string): boolean {
  return !isLoopback(webhookUrl) || isLoopback(serverUrl);
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
