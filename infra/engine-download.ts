/**
 * The official download as a program of its own, so that it can be ended as a whole: the SDK's
 * installer starts a shell and curl and offers no way to stop them. This is the one file beside
 * `stack-driver.ts` that imports from the Automation API; going through that one would load the
 * whole API and gRPC just to fetch a file.
 *
 * Argument: the folder to install into. The version is the SDK's own.
 */
import process from "node:process";
import { PulumiCommand } from "@pulumi/pulumi/automation/cmd.js";

/** How long the server may take to answer at all: a machine without a network learns it here. */
const reachTimeoutMs = 8_000;

try {
  await fetch("https://get.pulumi.com/install.sh", { method: "HEAD", signal: AbortSignal.timeout(reachTimeoutMs) });
} catch {
  console.error("the official download at get.pulumi.com cannot be reached");
  process.exit(1);
}
await PulumiCommand.install({ root: process.argv[2] });
