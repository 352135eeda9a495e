import { execa } from "execa";
import { StacklingError } from "../../../components/errors.ts";
import type { Client } from "../client.ts";
import { connect } from "../context.ts";
import { printJson, printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const open: RunVerb = async ({ args: [key], options, context }) => {
  const client = await connect(options, context);
  const url = key === undefined ? await client.loginLink() : await linkOf(client, key);
  if (options.json) printJson(context.stdout, { ...(key === undefined ? {} : { key }), url });
  else printLine(context.stdout, url);
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  // Without a desktop the printed address is all there is to do.
  await execa(program, [url], { stdio: "ignore", reject: false, timeout: 5_000 });
  return 0;
};

async function linkOf(client: Client, key: string): Promise<string> {
  const { url, condition, reason, message } = await client.find(key);
  if (url) return url;
  const userMessage = `opening ${key}: it has no link yet, it is ${condition}/${reason}${message ? ` (${message})` : ""}`;
  throw new StacklingError({ reason, userMessage });
}
