import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { StacklingError } from "../../../components/errors.ts";
import { documentOf, html, safeHref } from "../../html.ts";
import type { Client } from "../client.ts";
import { type CliContext, connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const open: RunVerb = async ({ args: [key], options, context }) => {
  const client = await connect(options, context);
  const url = key === undefined ? await client.loginLink() : await linkOf(client, key);
  if (options.json) printJson(context.stdout, { ...(key === undefined ? {} : { key }), url });
  else printLine(context.stdout, url);
  // Without a desktop, or where the browser may not read our file, the printed address is all there is to do.
  if (key === undefined) await showSecretly(url, context);
  else await show(url, context);
  return 0;
};

/** Resolves with whether something took it. */
async function show(what: string, { environment }: Pick<CliContext, "environment">): Promise<boolean> {
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  const { exitCode, timedOut } = await execa(program, [what], {
    ...{ stdio: "ignore", reject: false, timeout: 5_000 },
    ...{ env: environment, extendEnv: false },
  });
  // Some stay for as long as the browser does.
  return exitCode === 0 || timedOut;
}

/** By a file of the user's own that leads there: arguments of programs are in a list that everybody on the machine reads. */
async function showSecretly(url: string, context: Pick<CliContext, "environment">): Promise<void> {
  const folder = await mkdtemp(join(context.environment.TMPDIR || tmpdir(), "stackling-open-"));
  const file = join(folder, "login.html");
  const head = html`<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url=${safeHref(url)}">`;
  const body = html`<body><a href="${safeHref(url)}">Log in to Stackling</a></body>`;
  await writeFile(file, documentOf({ title: "Stackling", head, body }).markup, { mode: 0o600 });
  // The browser may read it later than its launcher ends; the link in it holds once, for ten minutes.
  if (!(await show(file, context))) await rm(folder, { recursive: true, force: true });
}

async function linkOf(client: Client, key: string): Promise<string> {
  const { url, condition, reason, message } = await client.find(key);
  if (url) return url;
  const userMessage = `opening ${key}: it has no link yet, it is ${condition}/${reason}${message ? ` (${message})` : ""}`;
  throw new StacklingError({ reason, userMessage });
}
