/** Takes every mail that anybody here sends to anybody, and sends none. */
import { createWriteStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { beginning } from "./beginning.ts";
import { readMail } from "./mail.ts";
import type { Store } from "./store.ts";
import { isStranger } from "./strangers.ts";

/** Of one mail; what is larger is refused with 552, as real servers do. */
export const MAIL_BYTES = 10 * 1024 * 1024;
const CLIENTS = 10;

/**
 * User and password are taken whatever they are. STARTTLS is not offered: over loopback it hides nothing, and
 * clients that see it insist on a certificate that they trust.
 */
export function createSmtp(store: Store): SMTPServer {
  // Reading a mail takes several times its size, so one at a time.
  let reading: Promise<unknown> = Promise.resolve();
  const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
    const result = reading.then(work);
    reading = result.catch(() => undefined);
    return result;
  };
  return new SMTPServer({
    name: "inbox.stackling",
    banner: "mails are kept here and go nowhere",
    authOptional: true,
    allowInsecureAuth: true,
    authMethods: ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"],
    hideSTARTTLS: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    size: MAIL_BYTES,
    maxClients: CLIENTS,
    maxRecipients: 1000,
    logger: false,
    onAuth: ({ username }, _session, done) => done(null, { user: username ?? "anybody" }),
    onConnect({ remoteAddress, remotePort, localPort }, done) {
      const refusal = Object.assign(new Error("this inbox is another preview's"), { responseCode: 554 });
      isStranger({ remoteAddress, remotePort, localPort }).then((is) => done(is ? refusal : null), done);
    },
    onData(stream, session, done) {
      keep(store, { stream, session, oneByOne }).then(
        (id) => done(null, `kept as ${id}`),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
}

interface Incoming {
  readonly stream: SMTPServerDataStream;
  readonly session: SMTPServerSession;
  readonly oneByOne: <T>(work: () => Promise<T>) => Promise<T>;
}

async function keep(store: Store, { stream, session: { envelope }, oneByOne }: Incoming): Promise<string> {
  const part = store.partPath();
  try {
    await pipeline(stream, beginning(MAIL_BYTES), createWriteStream(part, { mode: 0o600 }));
    if (stream.sizeExceeded) {
      throw Object.assign(new Error(`a mail may have ${MAIL_BYTES} bytes at most here`), { responseCode: 552 });
    }
    return await oneByOne(async () => {
      const mail = await readMail(await readFile(part));
      const sender = envelope.mailFrom ? envelope.mailFrom.address : "";
      const entry = {
        kind: "mail",
        from: mail.from || sender,
        to: [...new Set(envelope.rcptTo.map(({ address }) => address))],
        subject: mail.subject,
        attachments: mail.attachments.map(({ name, type, content }) => ({ name, type, size: content.length })),
      } as const;
      return (await store.add(entry, part)).id;
    });
  } finally {
    await rm(part, { force: true });
  }
}
