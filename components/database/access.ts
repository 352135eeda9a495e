import { LocalDatabaseAccess } from "../local/custom-resources.ts";
import type { AccessInputs } from "../local/database-access.ts";
import { previewDatabaseName } from "../local/database-names.ts";
import type { RenewalOptions } from "../local/database-renewal.ts";
import type { DatabaseArgs } from "../ports.ts";
import type { PreviewComponent } from "../preview-component.ts";
import { declareLogin, roleLife } from "./login.ts";

type ServerOptions = Required<Pick<AccessInputs, "server" | "connectionLimit">> & RenewalOptions;
type Into = Pick<AccessInputs, "database" | "access" | "at">;

/** Lets a preview into a database of many, and its login, as children of the strategy's component. */
export function declareAccess(
  parent: PreviewComponent,
  names: { readonly access: string; readonly login: string },
  args: DatabaseArgs<ServerOptions>,
  into: Into,
) {
  const { stack, generation, options } = args;
  const { server, connectionLimit } = options;
  const inputs = { name: previewDatabaseName(stack), server, generation, connectionLimit, ...into, ...roleLife(args) };
  const made = new LocalDatabaseAccess(names.access, inputs, { parent });
  const { identity, url: base } = made;
  const { database, ...rest } = into;
  const url = declareLogin(parent, names.login, args, { ...rest, database: database.name, base, identity });
  return { name: made.name, url, identity };
}
