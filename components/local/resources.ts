/** The resource types of the local provider: adding one is a file and a line. Lazy, so that one type's libraries load only where it is used. */
import type { LocalResource } from "./resource.ts";

export const resources = {
  "stackling:local:Folder": async () => erase((await import("./folder.ts")).folderResource),
  "stackling:local:Checkout": async () => erase((await import("./checkout.ts")).checkoutResource),
  "stackling:local:Task": async () => erase((await import("./task.ts")).taskResource),
  "stackling:local:Egress": async () => erase((await import("./egress.ts")).egressResource),
  "stackling:local:Service": async () => erase((await import("./service.ts")).serviceResource),
  "stackling:local:Route": async () => erase((await import("./route.ts")).routeResource),
  "stackling:local:Database": async () => erase((await import("./database.ts")).databaseResource),
  "stackling:local:DatabaseAccess": async () => erase((await import("./database-access.ts")).databaseAccessResource),
  "stackling:local:Schema": async () => erase((await import("./schema.ts")).schemaResource),
  "stackling:local:SchemaChanges": async () => erase((await import("./schema.ts")).schemaChangesResource),
  "stackling:local:DatabaseLogin": async () => erase((await import("./database-login.ts")).databaseLoginResource),
  "stackling:local:Backing": async () => erase((await import("./backing.ts")).backingResource),
  "stackling:local:Flags": async () => erase((await import("./flags.ts")).flagsResource),
  "stackling:local:NeonMaskedBranch": async () =>
    erase((await import("../neon/masked-branch-resource.ts")).maskedBranchResource),
  "stackling:local:NeonPassword": async () => erase((await import("../neon/password-resource.ts")).passwordResource),
  "stackling:local:PlanetscaleBranch": async () =>
    erase((await import("../planetscale/branch-resource.ts")).branchResource),
  "stackling:local:PlanetscaleDeployRequest": async () =>
    erase((await import("../planetscale/deploy-request-resource.ts")).deployRequestResource),
  "stackling:local:PlanetscalePassword": async () =>
    erase((await import("../planetscale/password-resource.ts")).passwordResource),
  "stackling:local:SupabaseBranch": async () => erase((await import("../supabase/branch-resource.ts")).branchResource),
  "stackling:local:Secret": async () => erase((await import("./secret.ts")).secretResource),
} as const;

export type ResourceType = keyof typeof resources;

/** A resource as the protocol sees it: inputs and state are JSON objects whose shape only the resource knows. */
export type AnyResource = LocalResource<Json, Json>;
export type Json = Readonly<Record<string, unknown>>;

/** Undefined for a type that is not ours. */
export async function findResource(type: string): Promise<AnyResource | undefined> {
  return type in resources ? resources[type as ResourceType]() : undefined;
}

/** The engine hands back what the resource itself made, so the shapes fit by construction. */
function erase<I, S extends object>(resource: LocalResource<I, S>): AnyResource {
  return resource as unknown as AnyResource;
}
