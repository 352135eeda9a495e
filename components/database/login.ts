import { type Output, secret } from "@pulumi/pulumi";
import { LocalDatabase, LocalDatabaseLogin } from "../local/custom-resources.ts";
import type { DatabaseInputs } from "../local/database.ts";
import type { LoginInputs } from "../local/database-login.ts";
import { previewDatabaseName } from "../local/database-names.ts";
import { hoursOf, type RenewalOptions } from "../local/database-renewal.ts";
import type { DatabaseArgs } from "../ports.ts";
import type { PreviewComponent } from "../preview-component.ts";

type Options = Required<Pick<DatabaseInputs, "server" | "connectionLimit">> & RenewalOptions;

/** What a role that is made now is told of rotations and of its end. */
export function roleLife({ rotation = 0, renewed, options }: DatabaseArgs<RenewalOptions>) {
  const hours = renewed ? hoursOf(options) : undefined;
  return {
    ...(hours === undefined ? {} : { validHours: hours }),
    ...(rotation > 0 ? { rotated: true as const } : {}),
  };
}

/** A database of the preview's own and its login, as children of the strategy's component. */
export function declareDatabase(
  parent: PreviewComponent,
  names: { readonly database: string; readonly login: string },
  args: DatabaseArgs<Options>,
  from: Pick<DatabaseInputs, "baseline" | "snapshot"> = {},
) {
  const { stack, tags, generation, options } = args;
  const { server, connectionLimit } = options;
  const name = previewDatabaseName(stack);
  const inputs = { name, server, generation, connectionLimit, tags, ...from, ...roleLife(args) };
  const database = new LocalDatabase(names.database, inputs, { parent });
  const { identity, url: base } = database;
  const url = declareLogin(parent, names.login, args, { database: name, base, identity });
  return { name: database.name, url, identity };
}

/** Who logs in to what the preview has. */
export function declareLogin(
  parent: PreviewComponent,
  name: string,
  args: DatabaseArgs<Options>,
  into: Pick<LoginInputs, "database" | "access" | "at"> & Readonly<Record<"base" | "identity", Output<string>>>,
): Output<string> {
  const { stack, rotation = 0, options } = args;
  const { server, connectionLimit } = options;
  const { validHours } = roleLife(args);
  const login = new LocalDatabaseLogin(
    name,
    {
      ...{ role: previewDatabaseName(stack), server, connectionLimit, rotation, ...into, base: secret(into.base) },
      ...(validHours === undefined ? {} : { validHours }),
    },
    { parent },
  );
  return secret(login.url);
}
