import { lookup } from "node:dns/promises";
import { access, constants } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { execa } from "execa";
import { StacklingError } from "../../../components/errors.ts";
import type { Finding } from "../../../components/ports.ts";
import { locateEngine } from "../../../infra/engine.ts";
import { DEFAULT_PORT } from "../../config/defaults.ts";
import { refuseTakenPort } from "../../embedded/port.ts";
import { type CliContext, dataDirOf, findService, type GlobalOptions } from "../context.ts";
import { textOption } from "../options.ts";
import { colorsFor, plain, printJson, printLine } from "../output.ts";
import { readOperator } from "../read-operator.ts";
import type { RunVerb, VerbCall } from "../verb.ts";

export const doctor: RunVerb = async ({ options, context }) => {
  const findings = [...(await aboutMachine(options, context)), ...(await aboutService(options, context))];
  const colors = colorsFor(context.stdout, context.environment);
  for (const finding of findings) {
    if (options.json) {
      printJson(context.stdout, finding);
      continue;
    }
    printLine(context.stdout, `${finding.ok ? colors.green("ok ") : colors.red("not")}  ${plain(finding.what)}`);
    if (finding.remedy) printLine(context.stdout, `     ${plain(finding.remedy)}`);
  }
  return findings.every((finding) => finding.ok) ? 0 : 1;
};

async function aboutMachine(options: GlobalOptions, context: CliContext): Promise<readonly Finding[]> {
  const dataDir = dataDirOf(options, context);
  return [
    { ok: true, what: `Node ${process.versions.node}` },
    await check(async () => {
      const { version, command } = await locateEngine(context.environment);
      return `Pulumi engine ${version} at "${command}"`;
    }, "npm start gets it"),
    await check(async () => (await execa("git", ["--version"])).stdout, "install git 2.31 or newer"),
    await check(async () => {
      await access(await nearestFolder(dataDir), constants.W_OK);
      return `the data folder "${dataDir}" can be written`;
    }, "choose another with --data"),
    await aboutNames(),
  ];
}

async function aboutNames(): Promise<Finding> {
  const found = await lookup("pr-1-shop.localhost").catch(() => undefined);
  if (found) return { ok: true, what: `names under localhost lead to ${found.address}` };
  return {
    ok: true,
    what: "this system does not resolve names under localhost",
    remedy: "browsers and curl do by themselves; for other programs dial 127.0.0.1 with the preview's name as Host",
  };
}

async function aboutService(options: VerbCall["options"], context: CliContext): Promise<readonly Finding[]> {
  const client = await findService(options, context);
  if (!client) {
    const port = await check(async () => {
      const place = await placeOf(options, context);
      await refuseTakenPort(place.host, place.port);
      return `port ${place.port} is free`;
    }, "mend what it says; --port chooses another port");
    const idle = { ok: true, what: "no service is running", remedy: "stackling serve starts it" };
    return [idle, port, ...(await aboutTargets(options, context))];
  }
  const { findings, counters } = await client.doctor();
  const counted = Object.entries(counters).map(([name, count]): Finding => ({ ok: true, what: `${name}: ${count}` }));
  return [{ ok: true, what: `the service answers at ${client.url}` }, ...findings, ...counted];
}

/** Of a config that is going to be served: credentials and permissions of its targets, as a service would ask them. */
async function aboutTargets(options: VerbCall["options"], context: CliContext): Promise<readonly Finding[]> {
  const file = textOption(options.config);
  if (file === undefined) return [];
  const dataDir = dataDirOf(options, context);
  const config = await readOperator(resolve(context.directory, file), dataDir);
  const { checkTargets } = await import("../../target-findings.ts");
  const { accessFindings } = await import("../../gateway/access/findings.ts");
  const targets = await checkTargets(config, { dataDir, path: context.environment.PATH ?? "" });
  return [...targets, ...accessFindings(config)];
}

/** Where `serve` would listen. */
async function placeOf(
  options: VerbCall["options"],
  context: CliContext,
): Promise<{ readonly host: string; readonly port: number }> {
  const file = textOption(options.config);
  if (file === undefined) return { host: "127.0.0.1", port: DEFAULT_PORT };
  return readOperator(resolve(context.directory, file), dataDirOf(options, context));
}

async function check(ask: () => Promise<string>, remedy: string): Promise<Finding> {
  try {
    return { ok: true, what: await ask() };
  } catch (error) {
    const what =
      error instanceof StacklingError
        ? error.userMessage
        : error instanceof Error
          ? (error.message.split("\n")[0] ?? "")
          : String(error);
    return { ok: false, what, remedy };
  }
}

/** The folder itself, or the one it would be made in. */
async function nearestFolder(path: string): Promise<string> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  return there || dirname(path) === path ? path : nearestFolder(dirname(path));
}
