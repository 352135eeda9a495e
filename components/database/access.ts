import { LocalDatabaseAccess } from "../local/custom-resources.ts";
import type { AccessInputs } from "../local/database-access.ts";
import { previewDatabaseName } from "../local/database-names.ts";
import type { DatabaseArgs } from "../ports.ts";
import type { PreviewComponent } from "../preview-component.ts";

type ServerOptions = Required<Pick<AccessInputs, "server" | "connectionLimit">>;
type Into = Pick<AccessInputs, "database" | "access" | "at">;

/** Lets a preview into a database of many, as a child of the strategy's component. */
export function declareAccess(
  parent: PreviewComponent,
  name: string,
  { stack, generation, options: { server, connectionLimit } }: DatabaseArgs<ServerOptions>,
  into: Into,
): LocalDatabaseAccess {
  const inputs = { name: previewDatabaseName(stack), server, generation, connectionLimit, ...into };
  return new LocalDatabaseAccess(name, inputs, { parent });
}
