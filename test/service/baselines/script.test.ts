import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linesOf, partsOf } from "../../../service/baselines/script.ts";

/** In pieces of three bytes, so that nothing depends on where the file is cut. */
async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += 3) yield all.subarray(at, at + 3);
}

async function read(text: string): Promise<readonly string[]> {
  const parts: string[] = [];
  for await (const part of partsOf(linesOf(bytes(text)))) {
    parts.push(part.sql);
    if (part.kind === "copy") for await (const row of part.rows) parts.push(`row ${JSON.stringify(row)}`);
  }
  return parts;
}

describe("an SQL script", () => {
  it("is cut at semicolons that end statements, and at no others", async () => {
    const statements = [
      `INSERT INTO a VALUES ('x;''y', E'it\\'s;', "b;c")`,
      "INSERT INTO a VALUES ('two\nlines;\n')",
      "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$\nBEGIN\n  PERFORM 1;\nEND;\n$body$",
      "CREATE RULE r AS ON INSERT TO a DO (DELETE FROM b; DELETE FROM c)",
      "CREATE FUNCTION g(x int) RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n SELECT CASE WHEN x > 0 THEN 1 ELSE 2 END;\n SELECT 2;\nEND",
      "SELECT a$1, $1$2",
      "SELECT 'ö', \"ü\"",
      "BEGIN",
      "COMMIT",
    ];
    assert.deepEqual(await read(`${statements.join(";\n")};\n`), statements);
  });

  it("loses its comments and the commands of psql, also where they hold quotes and semicolons", async () => {
    const script = `-- it's; one\n\\restrict abc\nSELECT 1 -- don't; stop\n+ 1;\n/* it's; /* nested; */ */SELECT 2;\n\\! touch /tmp/x\n`;
    const parts = (await read(script)).map((sql) => sql.replace(/\s+/g, " "));
    assert.deepEqual(parts, ["SELECT 1 + 1", "SELECT 2"]);
  });

  it("gives the rows of COPY as they are, and goes on after them", async () => {
    const script =
      "COPY public.a (b, c) FROM stdin;\n1\tit's; $$ \\\\.\n2\t\\N\n\\.\n\n\nCOPY b FROM stdin;\n\\.\nSELECT 1;\n";
    assert.deepEqual(await read(script), [
      "COPY public.a (b, c) FROM stdin",
      `row ${JSON.stringify("1\tit's; $$ \\\\.\n")}`,
      `row ${JSON.stringify("2\t\\N\n")}`,
      "COPY b FROM stdin",
      "SELECT 1",
    ]);
  });

  it("keeps a carriage return inside a string", async () => {
    assert.deepEqual(await read("SELECT 'a\r\nb\rc';"), ["SELECT 'a\r\nb\rc'"]);
  });

  it("takes a last statement without a semicolon", async () => {
    assert.deepEqual(await read("SELECT 1;\nSELECT 2"), ["SELECT 1", "SELECT 2"]);
  });

  it("is refused when it is not UTF-8", async () => {
    const latin = (async function* () {
      yield Buffer.from("SELECT '\xe4';", "latin1");
    })();
    await assert.rejects(async () => {
      for await (const part of partsOf(linesOf(latin))) assert.fail(part.sql);
    }, TypeError);
  });
});
