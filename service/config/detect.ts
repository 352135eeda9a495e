/** Finds out how an application runs that has never heard of Stackling, and says what was chosen. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { BuildStep } from "../../components/ports.ts";
import { findGitDir } from "../git.ts";
import { type ApplicationLimits, parseApplication } from "./application.ts";
import type { ApplicationConfig } from "./application-types.ts";
import { type DetectedService, toDetected } from "./detected.ts";
import { parseProcfile } from "./procfile.ts";
import { commitTree, type SourceTree } from "./source-tree.ts";

export type Detection =
  | {
      readonly kind: "found";
      readonly application: ApplicationConfig;
      /** Sentences that say what was chosen and why. */
      readonly chose: readonly string[];
    }
  | {
      readonly kind: "missing";
      /** Says exactly what to write. */
      readonly write: string;
    };

/**
 * Looks for, in this order: `preview.yaml`, a Procfile, a Node application with a start script, a
 * folder of static files. Throws `ConfigError` when there is a `preview.yaml` and it is wrong.
 */
export async function detectApplication(tree: SourceTree, limits: ApplicationLimits): Promise<Detection> {
  const own = await tree.read("preview.yaml");
  if (own !== undefined) {
    return found(parseApplication(own, { file: "preview.yaml", limits }), ["It runs as its preview.yaml says."]);
  }
  const manifest = await readManifest(tree);
  if (manifest === "broken") return missing("its package.json is not valid JSON");
  // Before the start script, for it says more: workers, and what is done before a release.
  const procfile = await tree.read("Procfile");
  if (procfile !== undefined) return detectProcfile(tree, { procfile, manifest });
  if (manifest?.scripts.start !== undefined) return detectNode(tree, manifest);
  if (manifest?.scripts.build !== undefined) {
    return missing('its package.json has a "build" script but no "start" script; add one that listens on PORT');
  }
  const folder = await staticFolder(tree);
  if (folder !== undefined) return detectStatic(folder);
  if (manifest) return missing('its package.json has no "start" script; add one that listens on PORT');
  return missing(
    "it has no package.json with a start script, no Procfile, and no index.html at its root or in public, dist or site",
  );
}

/** The same for one commit of a repository on this machine. Throws `StacklingError` when it cannot be read. */
export async function detectInRepository(
  { path, commit }: { readonly path: string; readonly commit: string },
  limits: ApplicationLimits,
): Promise<Detection> {
  return detectApplication(commitTree(await findGitDir(path), commit), limits);
}

const manifestSchema = z.object({
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.unknown()).default({}),
  devDependencies: z.record(z.string(), z.unknown()).default({}),
});
type Manifest = z.infer<typeof manifestSchema>;

async function readManifest(tree: SourceTree): Promise<Manifest | "broken" | undefined> {
  const text = await tree.read("package.json");
  if (text === undefined) return undefined;
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch {
    return "broken";
  }
}

async function detectNode(tree: SourceTree, manifest: Manifest): Promise<Detection> {
  const packages = await installNode(tree, manifest);
  const database = await findDatabase(tree, nodeTasks(manifest, packages));
  const service: DetectedService = { name: "web", kind: "web", command: packages.start };
  return found(toDetected({ services: [service], install: packages.install, build: packages.build, ...database }), [
    `It is a Node application: "${packages.start}" starts it, and it must listen on the port in PORT.`,
    ...packages.chose,
    ...database.chose,
  ]);
}

async function detectProcfile(
  tree: SourceTree,
  { procfile, manifest }: { readonly procfile: string; readonly manifest: Manifest | undefined },
): Promise<Detection> {
  const packages = manifest ? await installNode(tree, manifest) : undefined;
  const parsed = parseProcfile(procfile, manifest?.scripts.start === undefined ? undefined : packages?.start);
  if ("fault" in parsed) return missing(parsed.fault);
  // What it installed is found by its name, as on Heroku and in a script of package.json.
  const within = (command: string) => (packages ? `export PATH="$PWD/node_modules/.bin:$PATH"; ${command}` : command);
  const release = parsed.release === undefined ? [] : [{ command: within(parsed.release), directory: "." }];
  const tasks = manifest && packages ? nodeTasks(manifest, packages) : { lacks: "release process" };
  const [migrate] = release;
  const database = await findDatabase(tree, migrate ? { ...tasks, migrate, says: "release" } : tasks);
  const application = toDetected({
    services: parsed.services.map((service) => ({ ...service, command: within(service.command) })),
    install: packages?.install ?? [],
    build: [...(packages?.build ?? []), ...(database.database ? [] : release)],
    ...database,
  });
  const names = parsed.services.map((service) => service.name).join(", ");
  return found(application, [
    `It has a Procfile: ${names} run as it says; web must listen on the port in PORT.`,
    ...(packages?.chose ?? ["Nothing is installed first; a preview.yaml can say what to install."]),
    ...database.chose,
  ]);
}

async function detectStatic(folder: string): Promise<Detection> {
  const source = await readFile(new URL("./static-server.mjs", import.meta.url));
  const service: DetectedService = {
    name: "web",
    kind: "web",
    command: "exec node --input-type=module --eval 'await import(process.env.STATIC_SERVER)'",
    environment: {
      STATIC_SERVER: `data:text/javascript;base64,${source.toString("base64")}`,
      STATIC_FOLDER: folder,
    },
    memoryMiB: 128,
  };
  const where = folder === "." ? "at its root" : `in "${folder}"`;
  return found(toDetected({ services: [service], install: [], build: [] }), [
    `It is a folder of static files, with an index.html ${where}: they are served as they are.`,
  ]);
}

async function staticFolder(tree: SourceTree): Promise<string | undefined> {
  for (const folder of [".", "public", "dist", "site"]) {
    const file = folder === "." ? "index.html" : `${folder}/index.html`;
    if ((await tree.read(file)) !== undefined) return folder;
  }
  return undefined;
}

interface NodePackages {
  readonly install: readonly BuildStep[];
  readonly build: readonly BuildStep[];
  readonly start: string;
  /** Command that runs a script of package.json. */
  readonly run: (script: string) => string;
  readonly chose: readonly string[];
}

/** Lock files by the command that follows them. Corepack, which comes with Node, brings pnpm and yarn. */
const LOCKS = [
  { file: "package-lock.json", tool: "npm", install: "npm ci --no-audit --no-fund" },
  { file: "npm-shrinkwrap.json", tool: "npm", install: "npm ci --no-audit --no-fund" },
  { file: "pnpm-lock.yaml", tool: "corepack pnpm", install: "corepack pnpm install --frozen-lockfile" },
] as const;

async function installNode(tree: SourceTree, manifest: Manifest): Promise<NodePackages> {
  const { tool, install, because } = await chooseInstall(tree, manifest);
  const run = (script: string) => `${tool} run ${script}`;
  const build = manifest.scripts.build === undefined ? [] : [{ command: run("build"), directory: "." }];
  return {
    install: install === undefined ? [] : [{ command: install, directory: "." }],
    build,
    start: `${tool} start`,
    run,
    chose: [because, ...(build.length > 0 ? [`It has a build script: "${run("build")}" runs after that.`] : [])],
  };
}

async function chooseInstall(
  tree: SourceTree,
  manifest: Manifest,
): Promise<{ readonly tool: string; readonly install?: string; readonly because: string }> {
  for (const { file, tool, install } of LOCKS) {
    if ((await tree.read(file)) !== undefined)
      return { tool, install, because: `It has a ${file}: "${install}" runs first.` };
  }
  if ((await tree.read("yarn.lock")) !== undefined) {
    // Yarn 2 and later keep their settings in this file; yarn 1 knows neither it nor --immutable.
    const flag = (await tree.read(".yarnrc.yml")) === undefined ? "--frozen-lockfile" : "--immutable";
    const install = `corepack yarn install ${flag}`;
    return { tool: "corepack yarn", install, because: `It has a yarn.lock: "${install}" runs first.` };
  }
  if (Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length === 0) {
    return { tool: "npm", because: "It has no dependencies to install." };
  }
  const install = "npm install --no-audit --no-fund --no-package-lock";
  return {
    tool: "npm",
    install,
    because: `It has no lock file: "${install}" runs first, with whatever versions are newest.`,
  };
}

/** What may prepare a database. */
interface DatabaseTasks {
  readonly migrate?: BuildStep | undefined;
  readonly seed?: BuildStep | undefined;
  /** Name of the migration, where its command is not shown. */
  readonly says?: string;
  /** Said where there is neither. */
  readonly lacks: string;
}

function nodeTasks({ scripts }: Manifest, { run }: NodePackages): DatabaseTasks {
  const step = (names: readonly string[]): BuildStep | undefined => {
    const script = names.find((name) => scripts[name] !== undefined);
    return script === undefined ? undefined : { command: run(script), directory: "." };
  };
  return {
    migrate: step(["db:migrate", "migrate"]),
    seed: step(["db:seed", "seed"]),
    lacks: "migrate or seed script",
  };
}

async function findDatabase(
  tree: SourceTree,
  { migrate, seed, says, lacks }: DatabaseTasks,
): Promise<{ readonly database?: NonNullable<ApplicationConfig["database"]>; readonly chose: readonly string[] }> {
  if (!(await tree.mentions("DATABASE_URL"))) return { chose: [] };
  const prepared = [migrate && (says ?? migrate.command), seed?.command].flatMap((task) => (task ? [`"${task}"`] : []));
  return {
    database: { ...(migrate ? { migrate } : {}), ...(seed ? { seed } : {}) },
    chose: [
      `Its code reads DATABASE_URL: it gets a Postgres database, ${prepared.length > 0 ? `prepared by ${prepared.join(" and ")}` : `empty, for it has no ${lacks}`}.`,
    ],
  };
}

function found(application: ApplicationConfig, chose: readonly string[]): Detection {
  return { kind: "found", application, chose };
}

function missing(because: string): Detection {
  return {
    kind: "missing",
    write: `Stackling cannot tell how to run this application: ${because}.
Write this to preview.yaml at the root of the repository, and commit it:

services:
  web:
    command: ./start-it    # must listen on the port in PORT
`,
  };
}
