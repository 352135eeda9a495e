/** An application with secrets that prints them all, in every way a program may. */

/** It tells whoever reads its log all that it knows, in every way it can. */
const TELL = `
const { DATABASE_URL, SESSION_KEY, PAYMENT_KEY } = process.env;
for (const word of [DATABASE_URL, new URL(DATABASE_URL).password, SESSION_KEY, PAYMENT_KEY]) {
  console.log("given", word);
  console.error(JSON.stringify({ word }), "?" + new URLSearchParams({ word }), encodeURIComponent(word));
  console.log(Buffer.from(word).toString("base64"), Buffer.from(word).toString("base64url"));
}
console.log(JSON.stringify(process.env));
`;

export const TELLING_APP: Readonly<Record<string, string>> = {
  "preview.yaml": `
services:
  web:
    command: node server.mjs
    health: /health
    env:
      SESSION_KEY: \${secrets.SESSION_KEY}
      PAYMENT_KEY: \${secrets.PAYMENT_KEY}
secrets:
  SESSION_KEY: generated
  PAYMENT_KEY: granted
database:
  migrate: node migrate.mjs
`,
  "text.txt": "main",
  "tell.mjs": TELL,
  "server.mjs": `
import { createServer } from "node:http";
import "./tell.mjs";
createServer((request, response) => response.end(process.env.STACKLING_COMMIT)).listen(process.env.PORT, "127.0.0.1");
`,
  "migrate.mjs": `
import { existsSync } from "node:fs";
import "./tell.mjs";
const { DATABASE_URL, SESSION_KEY, PAYMENT_KEY } = process.env;
if (existsSync("fail.txt")) throw new Error("cannot go on with " + DATABASE_URL + " " + SESSION_KEY + " " + PAYMENT_KEY);
`,
};
