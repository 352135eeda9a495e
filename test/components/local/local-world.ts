/** A data folder with one preview in it, and the context a resource gets from the provider. */
import assert from "node:assert/strict";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StacklingError } from "../../../components/errors.ts";
import { checkoutResource } from "../../../components/local/checkout.ts";
import { folderResource } from "../../../components/local/folder.ts";
import { owned } from "../../../components/local/operations.ts";
import type { LocalSettings, ResourceContext } from "../../../components/local/resource.ts";
import { type ServiceInputs, serviceResource } from "../../../components/local/service.ts";
import type { SourceDefinition } from "../../../components/ports.ts";

export const STACK = "shop-pr-1";

/** The error of ours that a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<StacklingError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StacklingError, `failed with ${String(error)}`);
  return error;
}

export async function createLocalWorld(settings: Omit<LocalSettings, "dataDir"> = {}) {
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-local-")));
  const context = (stack = STACK): ResourceContext => ({
    settings: { ...settings, dataDir },
    stack,
    admit: async () => undefined,
    signal: new AbortController().signal,
    log: () => undefined,
  });
  await folderResource.create(context(), {}, "folder");
  return {
    dataDir,
    context,
    async checkOut(source: Partial<SourceDefinition> & Pick<SourceDefinition, "repository" | "commit">, stack = STACK) {
      const full = { submodules: false, lfs: false, install: [], build: [], ...source };
      const made = await checkoutResource.create(
        context(stack),
        { source: full, environment: {}, generation: 0 },
        "checkout",
      );
      return made.state.path;
    },
    start: (inputs: ServiceInputs) => serviceResource.create(context(), inputs, inputs.service.name),
    /** Kinds of what exists of the stack, sorted. */
    owned: async (stack = STACK) => (await owned(dataDir, stack)).map(({ kind }) => kind).sort(),
    async remove() {
      for (const { kind, stack } of await owned(dataDir)) {
        if (kind === "folder") await folderResource.delete(context(stack), stack, { path: "" });
      }
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function serviceInputs(
  checkout: string,
  service: Partial<ServiceInputs["service"]> = {},
  more: Partial<ServiceInputs> = {},
): ServiceInputs {
  return {
    service: {
      name: "web",
      kind: "web",
      command: "exec node server.mjs",
      directory: ".",
      startTimeoutSeconds: 20,
      sidecars: [],
      memoryMiB: 256,
      cpu: 1,
      ...service,
    },
    checkout,
    environment: {},
    secrets: [],
    order: 0,
    generation: 0,
    ...more,
  };
}

/** Answers every request with what the environment variable ANSWER says, /health with 200. */
export const SERVER = `
import { createServer } from "node:http";
createServer((request, response) => {
  if (request.url === "/broken") response.writeHead(503);
  response.end(request.url === "/env" ? JSON.stringify(process.env) : (process.env.ANSWER ?? "hello"));
}).listen(Number(process.env.PORT), "127.0.0.1");
console.log("listening");
`;
