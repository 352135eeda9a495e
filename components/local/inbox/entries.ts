/** What an inbox holds, as its files, its API and its page know it. */

interface Caught {
  /** Sorts by time. */
  readonly id: string;
  /** ISO 8601 UTC */
  readonly at: string;
  /** Bytes as they came in. */
  readonly size: number;
  /** As the sender gave it. */
  readonly from: string;
  /** Addresses or numbers that it was sent to; of mails those of the envelope, so that blind copies count. */
  readonly to: readonly string[];
  readonly subject: string;
}

export interface MailEntry extends Caught {
  readonly kind: "mail";
  readonly attachments: readonly AttachmentEntry[];
}

export interface AttachmentEntry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

export interface SmsEntry extends Caught {
  readonly kind: "sms";
}

export interface WebhookEntry extends Caught {
  readonly kind: "webhook";
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Only its beginning was kept. */
  readonly cut: boolean;
}

export type Entry = MailEntry | SmsEntry | WebhookEntry;

/** What was received, before it has its place among the others. */
export type Received<E extends Entry = Entry> = E extends Entry ? Omit<E, "id" | "at" | "size"> : never;
