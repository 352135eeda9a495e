import type { DetectedService } from "./detected.ts";

/**
 * Reads a Procfile: `web` gets the traffic, `release` runs before it, everything else is a worker
 * (devcenter.heroku.com/articles/procfile). Names are made to fit ours: lower case, dashes.
 * `web`: command of what gets the traffic where the file does not say.
 */
export function parseProcfile(
  text: string,
  web?: string,
): { readonly services: readonly DetectedService[]; readonly release?: string } | { readonly fault: string } {
  const services: DetectedService[] = [];
  let release: string | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, typed, command] = /^([A-Za-z0-9_-]+):\s*(\S.*)$/.exec(line) ?? [];
    if (!typed || !command) return { fault: `line ${index + 1} of its Procfile is not of the form "name: command"` };
    const name = typed.toLowerCase().replaceAll("_", "-");
    if (name === "release") {
      release = command;
      continue;
    }
    if (!/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(name))
      return { fault: `its Procfile names a process "${typed}", which must begin with a letter` };
    if (services.some((service) => service.name === name)) return { fault: `its Procfile names "${typed}" twice` };
    services.push({ name, kind: name === "web" ? "web" : "worker", command });
  }
  if (!services.some((service) => service.kind === "web")) {
    if (web === undefined) return { fault: 'its Procfile has no "web" process' };
    services.unshift({ name: "web", kind: "web", command: web });
  }
  return { services, ...(release !== undefined ? { release } : {}) };
}
