import { readdir, readFile } from "node:fs/promises";
import { openDatabase, transaction } from "./database.mjs";

const folder = new URL("./migrations/", import.meta.url);
const database = openDatabase(1);

try {
  await database.query(
    "CREATE TABLE IF NOT EXISTS applied_migrations (file text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  const { rows } = await database.query("SELECT file FROM applied_migrations");
  const applied = new Set(rows.map((row) => row.file));
  for (const file of files.filter((name) => !applied.has(name))) await apply(file);
  console.log(`schema is at ${files.at(-1) ?? "nothing"}`);
} finally {
  await database.end();
}

/** One file is one transaction: it is applied whole or not at all. */
async function apply(file) {
  const sql = await readFile(new URL(file, folder), "utf8");
  try {
    await transaction(database, async (client) => {
      await client.query(sql);
      await client.query("INSERT INTO applied_migrations (file) VALUES ($1)", [file]);
    });
  } catch (error) {
    throw new Error(`migration ${file} failed: ${error.message}`, { cause: error });
  }
  console.log(`applied ${file}`);
}
