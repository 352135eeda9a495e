/** A GitHub App that was made from the pages: its credentials are looked up while the service runs, so that it is used at once. */
import { type MadeApp, madeApp } from "./github-app-made.ts";
import type { GithubClient } from "./github-client.ts";
import { NotConnected } from "./not-connected.ts";

/** So long what was read counts: another replica's page may have made a new App. */
const FRESH_MS = 10_000;

export interface KeptApp {
  /** Rejects with `StacklingError` while there is none, or none that can be read. */
  current(): Promise<MadeApp>;
  /** What is kept, whatever the config says; undefined while nothing is. Rejects when the store is away. */
  find(): Promise<MadeApp | undefined>;
}

/** @param read the kept text; undefined when there is none. Rejects when the store is away. */
export function keptApp({
  read,
  server,
  newAppUrl,
}: {
  readonly read: () => Promise<string | undefined>;
  /** Where the config says that it is. */
  readonly server: string;
  /** The page that makes one. */
  readonly newAppUrl: string;
}): KeptApp {
  let held: { readonly app: MadeApp | undefined; readonly until: number } | undefined;
  let reading: Promise<MadeApp | undefined> | undefined;

  const look = async () => {
    const text = await read().catch((error: unknown) => {
      // What is known goes on working while the store is away.
      if (held?.app) return undefined;
      throw error;
    });
    const app = text === undefined ? held?.app : madeApp.parse(JSON.parse(text));
    held = { app, until: performance.now() + FRESH_MS };
    return app;
  };
  const newest = () => {
    if (held?.app && performance.now() < held.until) return Promise.resolve(held.app);
    reading ??= look().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  return {
    async current() {
      const app = await newest();
      if (!app) {
        throw new NotConnected(
          "GitHub",
          `no App was made for it yet, or with another API token; an admin makes one at ${newAppUrl}`,
        );
      }
      if (app.server === server) return app;
      throw new NotConnected(
        "GitHub",
        `its App was made at "${app.server}", while \`baseUrl\` is that of "${server}"; make one there at ${newAppUrl}`,
      );
    },
    find: newest,
  };
}

/** Asks as whatever App is kept now. */
export function createKeptClient({
  app,
  connect,
}: {
  readonly app: KeptApp;
  readonly connect: (credential: { readonly appId: string; readonly privateKey: string }) => GithubClient;
}): GithubClient {
  let connected: { readonly made: MadeApp; readonly client: GithubClient } | undefined;
  const now = async (): Promise<GithubClient> => {
    const made = await app.current();
    if (connected?.made.id === made.id && connected.made.privateKey === made.privateKey) return connected.client;
    const client = connect({ appId: String(made.id), privateKey: made.privateKey });
    connected = { made, client };
    return client;
  };
  return {
    kind: "app",
    call: async (call) => (await now()).call(call),
    get: async (call) => (await now()).get(call),
    gitToken: async (repository) => (await now()).gitToken(repository),
    login: async () => (await now()).login(),
    permissions: async (repository) => (await now()).permissions(repository),
    ask: async (call) => (await now()).ask(call),
    asInstallation: async (id, call) => (await now()).asInstallation(id, call),
    limits: async () => (await now()).limits(),
    forget: () => connected?.client.forget(),
  };
}
