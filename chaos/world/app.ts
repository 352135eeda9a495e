import { tinyApp } from "../../test/e2e/support/tiny-app.ts";

/**
 * The tiny application with a build and a migration that take long enough to be killed in, and that fail
 * where another of the same preview still runs: a name in the abstract namespace (unix(7)) is free again
 * as soon as its process is gone, however that ended.
 */
export function chaosApp(): Record<string, string> {
  return tinyApp({
    text: "main",
    build: alone("process.cwd()", 200),
    migrate: `${CONNECTED}${alone("process.env.DATABASE_URL", 400)}`,
  });
}

/** As a migration is: it fails where its database server goes away under it. */
const CONNECTED = `
import { connect } from "node:net";
const { hostname, port } = new URL(process.env.DATABASE_URL);
connect(Number(port), hostname)
  .on("error", ({ message }) => console.log(message))
  .on("close", () => process.exit(1));
`;

function alone(what: string, ms: number): string {
  return `
import { createHash } from "node:crypto";
import { createServer } from "node:net";
const name = createHash("sha256").update(String(${what})).digest("hex");
createServer()
  .on("error", (error) => {
    console.log("it runs already: " + error.code);
    process.exit(1);
  })
  .listen("\\0stackling-chaos-" + name, () => setTimeout(() => process.exit(0), ${ms}));
`;
}
