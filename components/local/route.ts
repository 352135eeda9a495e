/** Where the gateway finds a service: one small file per host, rewritten the moment the engine says so. */
import { mkdir, rm } from "node:fs/promises";
import { readJson, writeJson } from "./json-file.ts";
import { layout } from "./layout.ts";
import type { LocalResource, ResourceContext } from "./resource.ts";

export interface RouteInputs {
  readonly host: string;
  readonly service: string;
  /** Private `host:port`. */
  readonly address: string;
}

/** As it lies in routes/<service>.json. */
export interface RouteFile extends RouteInputs {
  /** ISO 8601 UTC; when it last moved. */
  readonly at: string;
}

export const routeResource: LocalResource<RouteInputs, RouteInputs> = {
  type: "stackling:local:Route",
  diff: (state, inputs) => ({
    changes: state.host !== inputs.host || state.address !== inputs.address || state.service !== inputs.service,
    replaces: state.service === inputs.service ? [] : ["service"],
  }),
  create: async (context, inputs) => ({ id: inputs.service, state: await write(context, inputs) }),
  async read(context, _id, state) {
    const found = await readJson<RouteFile>(fileOf(context, state.service));
    return found && { host: found.host, service: found.service, address: found.address };
  },
  update: async (context, _id, _state, inputs) => write(context, inputs),
  delete: async (context, _id, state) => rm(fileOf(context, state.service), { force: true }),
};

async function write(context: ResourceContext, { host, service, address }: RouteInputs): Promise<RouteInputs> {
  const file = fileOf(context, service);
  await mkdir(layout(context.settings.dataDir).preview(context.stack).routes, { recursive: true, mode: 0o700 });
  await context.admit();
  await writeJson(file, { host, service, address, at: new Date().toISOString() } satisfies RouteFile);
  return { host, service, address };
}

function fileOf(context: ResourceContext, service: string): string {
  return layout(context.settings.dataDir).preview(context.stack).route(service);
}
