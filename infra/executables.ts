/** Where the programs lie that the engine looks for by name: `bin/` of the clone, or beside `dist/` of the installed package. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const places = ["../bin", "../../bin"].map((place) => fileURLToPath(new URL(place, import.meta.url)));

/** Folders for PATH. */
export const EXECUTABLES: readonly string[] = places.filter((place) =>
  existsSync(join(place, "pulumi-resource-stackling")),
);

/** The same for engines that came without a language host for Node, to stand after all others. */
export const LANGUAGE_HOSTS: readonly string[] = EXECUTABLES.map((place) => join(place, "language-host"));
