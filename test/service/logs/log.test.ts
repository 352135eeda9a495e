/** The service's log as it is in the file and on a terminal: whatever is logged however, no secret and one line. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { StacklingError } from "../../../components/errors.ts";
import { knownSecrets } from "../../../service/logs/known-secrets.ts";
import { openLog, type ServiceLog } from "../../../service/logs/log.ts";
import { pretty } from "../../../service/logs/pretty.ts";
import { createTracing } from "../../../service/tracing/tracing.ts";
import { eventually } from "../../support/eventually.ts";
import { requires } from "../../support/requires.ts";

/** No two alike, so that a leak names its path. */
const SECRET = (path: string) => `s3cr3t-${path}-9f27ab`;
const KNOWN = SECRET("known");
const FULL_DISK = "/dev/full";

describe("the service's log", () => {
  let folder: string;
  let log: ServiceLog;
  const shown: string[] = [];
  const tracing = createTracing();
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-log-"));
    log = open();
  });
  after(async () => {
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = () =>
    openLog({
      dataDir: folder,
      to: "file",
      fields: tracing.fields,
      secrets: [KNOWN],
      onError: (line) => void shown.push(line),
    });
  const file = () => join(folder, "stackling.log");
  /** What was written of what `write` logs. */
  const lines = async (write: (logger: ServiceLog["logger"]) => void) => {
    const from = await readFile(file(), "utf8").catch(() => "");
    write(log.logger);
    await log.close();
    log = open();
    return (await readFile(file(), "utf8")).slice(from.length).trimEnd().split("\n");
  };

  it("holds none of the secrets that are put into it, by whatever way", async () => {
    const request = {
      url: `https://api.example/x?access_token=${SECRET("query")}`,
      headers: {
        authorization: `Bearer ${SECRET("header")}`,
        cookie: `a=${SECRET("cookie")}`,
        "x-api-key": SECRET("key"),
      },
      auth: { password: SECRET("password"), nested: { clientSecret: SECRET("nested") } },
    };
    const cause = Object.assign(new Error(`connecting to postgres://u:${SECRET("cause")}@db/x failed`), { request });
    const failure = Object.assign(new Error(`failed with ${KNOWN}`, { cause }), { request, config: { request } });
    const ours = new StacklingError({ reason: "Failed", userMessage: `token=${SECRET("words")}`, cause: SECRET_URL });
    const aggregate = new AggregateError([cause, new Error(`password: ${SECRET("aggregate")}`)], "all failed");
    const written = await lines((logger) => {
      for (const err of [failure, ours, aggregate, cause]) logger.warn({ err }, "it failed");
      logger.error(failure);
      logger.warn({ request, url: SECRET_URL, list: [{ token: SECRET("list") }] }, `see ${SECRET_URL}`);
      logger.warn(`the message says ${KNOWN}, ${encodeURIComponent(KNOWN)} and Bearer ${SECRET("bearer")}`);
      logger.warn("with %s and %o", `password=${SECRET("format")}`, { passphrase: SECRET("object") });
      logger.child({ token: SECRET("child"), apiKey: SECRET("child-key") }).warn("of a child");
      logger.warn(
        { [SECRET_NAME]: 1 },
        `-----BEGIN RSA PRIVATE KEY-----\n${SECRET("pem")}\n-----END RSA PRIVATE KEY-----`,
      );
      logger.warn({ text: `${"x".repeat(7_990)} token=${SECRET("late")}`, bytes: Buffer.from(KNOWN) }, "long");
      logger.warn({ text: `${"x".repeat(7_990)} ${KNOWN}` }, "cut in the middle of a secret");
      logger.warn({ deep: deep(20, { password: SECRET("deep") }) }, "deep");
      logger.warn({ value: `ghp_${"a".repeat(36)} and stk_${"b".repeat(43)}` }, "tokens of known shapes");
    });
    const text = `${written.join("\n")}\n${shown.join("\n")}`;
    assert.deepEqual(text.match(/s3cr3t-[a-z-]*/g), null);
    assert.ok(!text.includes("ghp_") && !text.includes("stk_") && !text.includes("s3cr"));
    assert.ok(!text.includes(Buffer.from(KNOWN).toJSON().data.slice(0, 6).join(",")));
    assert.ok(text.includes("it failed") && text.includes("[redacted]"));
  });

  it("is one JSON line an event, also of texts with line breaks and of what has no end", async () => {
    const circle: { self?: unknown; name: string } = { name: "circle" };
    circle.self = circle;
    const written = await lines((logger) => {
      logger.info({ circle, text: "a\nb" }, "one\ntwo");
      logger.info({ undefined: undefined, number: 1, yes: true, none: null }, "plain");
    });
    assert.equal(written.length, 2);
    const [first, second] = written.map((line) => JSON.parse(line));
    assert.equal(first.msg, "one\ntwo");
    assert.match(first.time, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual([second.level, second.number, second.yes, second.none], ["info", 1, true, null]);
  });

  it("names preview and delivery on every line that comes of them, whoever writes it", async () => {
    const [within = "", own = "", without = ""] = await lines((logger) => {
      tracing.within({ key: "shop#42", deliveryId: "d-1" }, () => {
        logger.warn("of a part that knows no preview");
        logger.warn({ key: "shop#7" }, "of another preview");
      });
      logger.warn("of none");
    });
    assert.deepEqual([JSON.parse(within).key, JSON.parse(within).deliveryId], ["shop#42", "d-1"]);
    assert.equal(JSON.parse(own).key, "shop#7");
    assert.equal("key" in JSON.parse(without), false);
  });

  it("keeps what tells what a secret is called, and how many there are", async () => {
    const [line = ""] = await lines((logger) =>
      logger.warn({ secretName: "STRIPE_KEY", tokens: 3, reason: "SecretMissing", tokenId: "t1" }, "counted"),
    );
    const { secretName, tokens, reason, tokenId } = JSON.parse(line);
    assert.deepEqual([secretName, tokens, reason, tokenId], ["STRIPE_KEY", 3, "SecretMissing", "t1"]);
  });

  it("ends nothing but itself where the disk is full, and says so once", { skip: !existsSync(FULL_DISK) }, async () => {
    const dataDir = await mkdtemp(join(folder, "full-"));
    await symlink(FULL_DISK, join(dataDir, "stackling.log"));
    const told: string[] = [];
    const onError = (line: string) => void told.push(line);
    const full = openLog({ dataDir, to: "file", fields: () => ({}), secrets: [], onError });
    full.logger.info("one");
    await eventually(() => told.length === 1);
    full.logger.info("two");
    await full.close();
    assert.deepEqual(told, ["the log cannot be written: ENOSPC: no space left on device, write"]);
  });

  it(
    "goes on with a line of its own after a disk that filled up within one, and tells how many are lost",
    requires("prlimit"),
    async () => {
      const told: string[] = [];
      const ignore = () => undefined;
      const dataDir = await mkdtemp(join(folder, "filled-"));
      const onError = (line: string) => void told.push(line);
      const filled = openLog({ dataDir, to: "file", fields: () => ({}), secrets: [], onError });
      process.on("SIGXFSZ", ignore);
      const was = await fileSizeMax();
      await prlimit("--fsize=100:");
      try {
        filled.logger.info("x".repeat(200));
        await eventually(() => told.length === 1);
      } finally {
        await prlimit(`--fsize=${was}:`);
        process.off("SIGXFSZ", ignore);
      }
      filled.logger.info("two");
      await eventually(() => told.length === 2);
      await filled.close();
      const [half = "", ...whole] = (await readFile(join(dataDir, "stackling.log"), "utf8")).trimEnd().split("\n");
      assert.equal(half.length, 100);
      const again = "the log is written again; up to 1 lines of it were lost";
      assert.deepEqual(
        whole.map((line) => JSON.parse(line).msg),
        ["two", again],
      );
      assert.equal(told[1], again);
    },
  );

  it("opens nothing and complains of nothing after its end", async () => {
    const told: string[] = [];
    const dataDir = await mkdtemp(join(folder, "ended-"));
    const onError = (line: string) => void told.push(line);
    const ended = openLog({ dataDir, to: "file", fields: () => ({}), secrets: [], onError });
    ended.logger.info("in time");
    for (const late of ["late", "later"]) {
      const ending = ended.close();
      ended.logger.info(late);
      await ending;
    }
    await ended.close();
    assert.deepEqual(told, []);
    assert.match(await readFile(join(dataDir, "stackling.log"), "utf8"), /^[^\n]*in time[^\n]*\n$/);
  });

  it("is read by nobody but its owner", async () => {
    assert.equal((await stat(file())).mode & 0o777, 0o600);
  });
});

describe("secrets of the config", () => {
  it("are known by their values, and the password of an address by itself", async () => {
    process.env.TEST_LOG_STORE = "postgres://u:p%40ssw0rd@db/x";
    try {
      const known = await knownSecrets({
        store: { env: "TEST_LOG_STORE" },
        forges: [{ token: { env: "TEST_NOT_SET" } }],
      });
      assert.deepEqual(known, ["postgres://u:p%40ssw0rd@db/x", "p%40ssw0rd", "p@ssw0rd"]);
    } finally {
      delete process.env.TEST_LOG_STORE;
    }
  });
});

describe("a line on a terminal", () => {
  it("tells time, level, preview, message and fields, and an error's stack below", () => {
    const line = { level: "warn", time: "2026-11-22T09:08:07.123Z", key: "shop#42", waitMs: 5, msg: "it failed" };
    const text = pretty(
      JSON.stringify({ ...line, err: { type: "Error", stack: "Error: no\n    at x" }, trace_id: "1" }),
    );
    const plain = text.replace(COLOUR, "");
    assert.equal(plain, "09:08:07 warn  shop#42 it failed waitMs=5\n    Error: no\n    at x\n");
  });

  it("lets nobody write to the screen", () => {
    const text = pretty(JSON.stringify({ level: "info", msg: "a\u001b[2Jb\nc", key: "k\u0007" })).replace(COLOUR, "");
    assert.equal(/(?!\n)\p{Cc}/u.test(text) || text.trimEnd().includes("\n"), false);
  });

  it("is in the order in which it was written, whatever its texts ask a terminal for", () => {
    const turned = "\u202Egpj.exe\u202C \u2066a\u2069 \u009B2J\u200F\u2028";
    const line = { level: "info", msg: turned, key: turned, text: turned, nested: { turned } };
    const text = pretty(JSON.stringify({ ...line, err: { stack: turned } })).replace(COLOUR, "");
    assert.match(text, / gpj\.exe {3}a {3}2J /);
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it("is what it was where it is no line of the log", () => {
    assert.equal(pretty("what a library wrote\n"), "what a library wrote\n");
  });
});

const SECRET_URL = `https://bot:${SECRET("url")}@git.example/acme/shop.git?sig=${SECRET("sig")}#${SECRET("hash")}`;
const SECRET_NAME = `url https://x:${SECRET("name")}@y/`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what colours a terminal
const COLOUR = /\u001b\[\d+m/g;

/** Of what this process writes: "unlimited", or bytes, behind which a write stops as on a full disk. */
const fileSizeMax = () => prlimit("--fsize", "--output=SOFT", "--noheadings", "--raw");

async function prlimit(...args: readonly string[]): Promise<string> {
  return (await execa("prlimit", ["--pid", String(process.pid), ...args])).stdout.trim();
}

function deep(levels: number, inside: object): object {
  return levels === 0 ? inside : { inside: deep(levels - 1, inside) };
}
