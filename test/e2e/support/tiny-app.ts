/** The smallest application that is still one: a web service with a database, migrated, nothing to install. */

export interface TinyAppOptions {
  /** What `/` answers. */
  readonly text: string;
  /** Source of the server; the default answers `text`, the commit and its database's name. */
  readonly server?: string;
  readonly migrate?: string;
  /** Source of a build; without it there is none. */
  readonly build?: string;
}

export function tinyApp({ text, server, migrate, build }: TinyAppOptions): Record<string, string> {
  return {
    "preview.yaml": [
      ...(build === undefined ? [] : ["build: node build.mjs"]),
      "services:",
      "  web:",
      "    command: node server.mjs",
      "    health: /health",
      "database:",
      "  migrate: node migrate.mjs",
      "",
    ].join("\n"),
    "text.txt": text,
    "server.mjs": server ?? SERVER,
    "migrate.mjs": migrate ?? 'if (!process.env.DATABASE_URL) throw new Error("no DATABASE_URL");\n',
    ...(build === undefined ? {} : { "build.mjs": build }),
  };
}

const SERVER = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const text = readFileSync("text.txt", "utf8");
const database = new URL(process.env.DATABASE_URL).pathname.slice(1);
createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end(text + " " + process.env.STACKLING_COMMIT + " " + database + "\\n");
}).listen(process.env.PORT, "127.0.0.1");
`;
