/** The real program, as a preview runs it, with a real mail client before it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { createTransport } from "nodemailer";
import { inboxFolder } from "../../../components/local/emulators.ts";
import { openStore } from "../../../components/local/inbox/store.ts";
import { eventually } from "../../support/eventually.ts";
import { INBOX_HOST, type RunningInbox, startInbox } from "../../support/inbox.ts";
import { requires } from "../../support/requires.ts";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

interface Message {
  readonly id: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly attachments: readonly { readonly name: string; readonly path: string; readonly size: number }[];
  readonly text?: string;
  readonly html?: string;
  readonly body?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly cut?: boolean;
}

describe("an inbox", () => {
  let dataDir: string;
  let folder: string;
  const running: RunningInbox[] = [];

  before(async () => {
    dataDir = await realpath(await mkdtemp(join(tmpdir(), "stackling-inbox-")));
    folder = await inboxFolder(dataDir);
  });
  after(async () => {
    await Promise.all(running.map((inbox) => inbox.end()));
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(kind: "smtp" | "sms" | "webhooks", home: string) {
    const inbox = await startInbox(folder, { kind, home: join(dataDir, home) });
    running.push(inbox);
    const list = async (query = ""): Promise<readonly Message[]> => {
      const response = await fetch(`${inbox.url}/inbox/messages${query}`);
      assert.equal(response.status, 200);
      return ((await response.json()) as { messages: readonly Message[] }).messages;
    };
    const find = async (id: string) => (await (await fetch(`${inbox.url}/inbox/messages/${id}`)).json()) as Message;
    return { ...inbox, list, find };
  }

  it("takes mails of whoever and keeps them with their parts", async () => {
    const { url, list, find, smtp } = await start("smtp", "parts");
    const mailer = createTransport({ ...smtp, auth: { user: "anybody", pass: "anything" } });
    await mailer.sendMail({
      from: '"Kettle & Leaf" <shop@example.com>',
      to: "Ada <ada@example.com>",
      bcc: "hidden@example.com",
      subject: "Grüße ☕",
      text: "plain",
      html: '<p>rich</p><img src="cid:leaf"><img src="cid:nobody">',
      attachments: [
        { filename: "Rechnung ä.txt", content: "12 €" },
        { filename: "leaf.png", content: PIXEL, encoding: "base64", cid: "leaf" },
      ],
    });
    const [mail] = await list();
    assert.deepEqual(
      [mail?.from, mail?.to, mail?.subject],
      ["Kettle & Leaf <shop@example.com>", ["ada@example.com", "hidden@example.com"], "Grüße ☕"],
    );
    const whole = await find(mail?.id ?? "");
    assert.equal(whole.text?.trim(), "plain");
    assert.match(whole.html ?? "", /<p>rich/);
    const bill = mail?.attachments.find(({ name }) => name === "Rechnung ä.txt");
    assert.equal(bill?.size, 6);
    const file = await fetch(`${url}${bill?.path}`);
    assert.equal(await file.text(), "12 €");
    assert.match(
      file.headers.get("content-disposition") ?? "",
      /^attachment; filename\*=UTF-8''Rechnung%20%C3%A4\.txt$/,
    );
    const shown = await (await fetch(`${url}/inbox/messages/${mail?.id}/html`)).text();
    assert.match(shown, new RegExp(`<img src="data:image/png;base64,${PIXEL.slice(0, 20)}`));
    assert.match(shown, /<img src="cid:nobody">/);
  });

  it("lets a test wait for the mail to one address", async () => {
    const { list, mailer } = await start("smtp", "waits");
    const mail = { from: "shop@example.com", subject: "Order", text: "x" };
    await mailer.sendMail({ ...mail, to: "bob@example.com" });
    const awaited = list("?to=ADA@&wait=50");
    await mailer.sendMail({ ...mail, to: "ada@example.com" });
    assert.deepEqual(
      (await awaited).map(({ to }) => to),
      [["ada@example.com"]],
    );
    const [newest] = await list("?limit=1");
    assert.deepEqual(await list(`?after=${newest?.id}`), []);
    assert.deepEqual((await list("?to=carol@&wait=0.1")).length, 0);
  });

  it("refuses a mail that is too large, keeps nothing of it, and takes the next", async () => {
    const { list, mailer, smtp } = await start("smtp", "large");
    const mail = { from: "a@example.com", to: "b@example.com", subject: "s" };
    await assert.rejects(mailer.sendMail({ ...mail, text: "x".repeat(11 * 1024 * 1024) }), { responseCode: 552 });
    // A client that does not say the size beforehand is met by the same.
    const answers = await speak(smtp.port, [
      "HELO x",
      "MAIL FROM:<a@example.com>",
      "RCPT TO:<b@example.com>",
      "DATA",
      `${`${"y".repeat(900)}\r\n`.repeat(12_000)}.`,
      "QUIT",
    ]);
    assert.match(answers.at(-2) ?? "", /^552 /);
    await mailer.sendMail({ ...mail, text: "small" });
    assert.equal((await list()).length, 1);
    assert.equal((await readdir(join(dataDir, "large/.stackling-inbox/mail"))).length, 2);
  });

  it("has kept its mails when its process comes back, and beside another that runs", async () => {
    const mail = { from: "a@example.com", to: "b@example.com", text: "x" };
    const first = await start("smtp", "again");
    await first.mailer.sendMail({ ...mail, subject: "one" });
    const second = await start("smtp", "again");
    await second.mailer.sendMail({ ...mail, subject: "two" });
    const subjects = async (list: typeof first.list) => (await list()).map(({ subject }) => subject);
    assert.deepEqual(await subjects(first.list), ["two", "one"]);
    await Promise.all([first.end(), second.end()]);
    assert.deepEqual(await subjects((await start("smtp", "again")).list), ["two", "one"]);
  });

  it("ends at once when it is told to, whoever waits at it", async () => {
    const { child, list } = await start("smtp", "ends");
    const waiting = list("?wait=50").catch(() => "cut off");
    await list();
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.equal(await waiting, "cut off");
  });

  it("records webhooks as they came and answers them", async () => {
    const { url, list, find } = await start("webhooks", "hooks");
    const headers = { "content-type": "application/json", "x-signature": "abc", "user-agent": "shop/1" };
    const sent = { method: "PUT", headers, body: '{"type":"order.paid","id":7}' };
    assert.equal((await fetch(`${url}/hooks/erp?v=2`, sent)).status, 200);
    await fetch(`${url}/big`, { method: "POST", body: "z".repeat(3 * 1024 * 1024) });
    assert.match(await speakHttp(Number(new URL(url).port), "GET //:x?y HTTP/1.1\r\nHost: x"), /^HTTP\/1\.1 200/);
    const [, big, small] = await list();
    assert.deepEqual([big?.cut, (await find(big?.id ?? "")).body?.length], [true, 1024 * 1024]);
    assert.equal(small?.subject, "PUT /hooks/erp?v=2 · order.paid");
    const whole = await find(small?.id ?? "");
    assert.deepEqual([whole.method, whole.path, whole.cut], ["PUT", "/hooks/erp?v=2", false]);
    assert.ok(whole.headers?.some(([name, value]) => name.toLowerCase() === "x-signature" && value === "abc"));
    assert.deepEqual(JSON.parse(whole.body ?? ""), { type: "order.paid", id: 7 });
  });

  it("reads text messages as providers' APIs take them", async () => {
    const { url, list } = await start("sms", "sms");
    const form = new URLSearchParams({ To: "+4915112345", From: "+49301", Body: "Your code is 4711" });
    assert.equal(
      (await fetch(`${url}/2010-04-01/Accounts/AC1/Messages.json`, { method: "POST", body: form })).status,
      201,
    );
    const json = JSON.stringify({ recipients: ["+491", "+492"], originator: "Shop", body: "Hello" });
    await fetch(`${url}/messages`, { method: "POST", body: json, headers: { "content-type": "application/json" } });
    assert.deepEqual(
      (await list()).map(({ from, to, subject }) => [from, to, subject]),
      [
        ["Shop", ["+491", "+492"], "Hello"],
        ["+49301", ["+4915112345"], "Your code is 4711"],
      ],
    );
    assert.equal((await list("?to=%2B4915112345")).length, 1);
  });

  it("deletes one, or all, but not because another site asks", async () => {
    const { url, list, mailer } = await start("smtp", "deletes");
    for (const subject of ["one", "two", "three"])
      await mailer.sendMail({ from: "a@example.com", to: "b@example.com", subject, text: "x" });
    const remove = (path: string, headers = {}) => fetch(`${url}/inbox/${path}`, { method: "DELETE", headers });
    assert.equal((await remove("messages", { "sec-fetch-site": "same-site" })).status, 403);
    assert.equal((await remove("messages", { origin: "http://pr-2-shop.localhost:4000" })).status, 403);
    assert.equal((await remove(`messages/${(await list())[0]?.id}`)).status, 204);
    assert.deepEqual(
      (await list()).map(({ subject }) => subject),
      ["two", "one"],
    );
    assert.equal((await remove("messages/../../../etc")).status, 404);
    const clear = { method: "POST", redirect: "manual", headers: { "sec-fetch-site": "same-origin" } } as const;
    assert.equal((await fetch(`${url}/inbox/clear`, clear)).headers.get("location"), "/inbox");
    assert.deepEqual(await list(), []);
    assert.deepEqual(await readdir(join(dataDir, "deletes/.stackling-inbox/mail")), []);
  });

  it("is closed to the users of other previews, mails and page alike", requires("root"), async () => {
    const { url, list, smtp } = await start("smtp", "others");
    const asNobody = async (port: number, said: string) => {
      const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '${said}' >&3; cat <&3`;
      return (await execa("/bin/bash", ["-c", script], { uid: 65_534, cwd: "/", timeout: 20_000 })).stdout;
    };
    const request = "GET /inbox/messages HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n";
    assert.match(await asNobody(Number(new URL(url).port), request), /^HTTP\/1\.1 403 [\s\S]*another preview's/);
    assert.match(await asNobody(smtp.port, ""), /^554 this inbox is another preview's/);
    assert.deepEqual(await list(), []);
  });

  it("answers at its own host and this machine's, and at no name that was made to lead here", async () => {
    const { smtp: _none, url } = await start("webhooks", "hosts");
    const port = Number(new URL(url).port);
    const status = async (host: string) =>
      (await speakHttp(port, `GET /inbox/messages HTTP/1.1\r\nHost: ${host}`)).slice(9, 12);
    assert.equal(await status(INBOX_HOST), "200");
    assert.equal(await status(`127.0.0.1:${port}`), "200");
    assert.equal(await status(`evil.example:${port}`), "421");
  });
});

describe("what an inbox keeps", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-inbox-store-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const received = { kind: "sms", from: "", to: [], subject: "x" } as const;

  it("is the newest, by number and by size", async () => {
    const store = await openStore(join(folder, "bounds"), { entries: 3, bytes: 100 });
    const added = [];
    for (const size of [10, 10, 10, 10]) added.push((await store.add(received, Buffer.alloc(size))).id);
    const ids = async () => (await store.list()).map(({ id }) => id);
    assert.deepEqual(await ids(), added.slice(1).reverse());
    const { id } = await store.add(received, Buffer.alloc(95));
    assert.deepEqual(await ids(), [id]);
    assert.equal((await readdir(join(folder, "bounds"))).length, 2);
  });

  it("is no larger in the list than a list should be, whatever things are called", async () => {
    const store = await openStore(join(folder, "names"));
    const long = "x".repeat(100_000);
    const attachments = Array.from({ length: 5_000 }, () => ({ name: long, type: "a/b", size: 1 }));
    const entry = await store.add(
      {
        kind: "mail",
        from: long,
        to: [long, ...Array.from({ length: 5_000 }, () => "a@example.com")],
        subject: long,
        attachments,
      },
      Buffer.alloc(1),
    );
    assert.ok(JSON.stringify(entry).length < 50_000);
  });

  it("leaves no half of what was cut off by a kill", async () => {
    const old = new Date(Date.now() - 3_600_000);
    const store = await openStore(join(folder, "halves"));
    const { id } = await store.add(received, Buffer.alloc(1));
    for (const name of ["000000000-000000000000.raw", "0123456789ab0123456789ab.part", `${id}.raw`]) {
      await writeFile(join(folder, "halves", name), "x");
      await utimes(join(folder, "halves", name), old, old);
    }
    await openStore(join(folder, "halves"));
    assert.deepEqual((await readdir(join(folder, "halves"))).toSorted(), [`${id}.json`, `${id}.raw`]);
  });

  it("does not end for what the application wrote among it", async () => {
    const store = await openStore(join(folder, "strange"));
    const { id } = await store.add(received, Buffer.alloc(1));
    for (const [name, text] of [
      ["zzzzzzzzz-ffffffffffff.json", "{"],
      ["zzzzzzzzz-fffffffffffe.json", '{"id":1}'],
      ["x.json", "{}"],
    ] as const) {
      await writeFile(join(folder, "strange", name), text);
    }
    assert.deepEqual(
      (await store.list()).map((entry) => entry.id),
      [id],
    );
  });

  it("is seen by who waits, also where another process wrote it", async () => {
    const [mine, others] = [await openStore(join(folder, "waits")), await openStore(join(folder, "waits"))];
    const found = mine.until(([newest]) => newest?.id, new AbortController().signal);
    const { id } = await others.add(received, Buffer.alloc(1));
    assert.equal(await found, id);
    await eventually(async () => (await mine.list()).length === 1, { what: "the entry" });
  });
});

/** Says each line once the one before was answered; resolves with the answers. */
async function speak(port: number, lines: readonly string[]): Promise<readonly string[]> {
  const socket = connect(port, "127.0.0.1");
  const answers: string[] = [];
  const rest = [...lines];
  for await (const line of createInterface({ input: socket })) {
    answers.push(line);
    const next = rest.shift();
    if (next === undefined) break;
    socket.write(`${next}\r\n`);
  }
  socket.destroy();
  return answers;
}

async function speakHttp(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${request}\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
