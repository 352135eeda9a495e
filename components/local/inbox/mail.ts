/** Reads a mail (RFC 5322, MIME). */
import type { Address, Attachment } from "postal-mime";

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly attachments: readonly Part[];
}

export interface Part {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
  /** By which the HTML names it, without its angle brackets. */
  readonly contentId?: string;
}

/** Never rejects: of what cannot be read the bytes are still there to be looked at. */
export async function readMail(raw: Buffer): Promise<Mail> {
  try {
    // Somebody waits for the start, and nobody has sent anything by then.
    const { default: PostalMime } = await import("postal-mime");
    const mail = await PostalMime.parse(raw, { attachmentEncoding: "arraybuffer" });
    return {
      from: mail.from ? written(mail.from) : "",
      to: (mail.to ?? []).map(written),
      cc: (mail.cc ?? []).map(written),
      subject: mail.subject ?? "",
      ...(mail.text === undefined ? {} : { text: mail.text }),
      ...(mail.html === undefined ? {} : { html: mail.html }),
      headers: mail.headers.map(({ originalKey, value }) => [originalKey, value] as const),
      attachments: mail.attachments.map(partOf),
    };
  } catch {
    const text = raw.toString("utf8");
    return { from: "", to: [], cc: [], subject: "(could not be read)", text, headers: [], attachments: [] };
  }
}

/** Of pictures put into one mail, which may name each of its own a thousand times. */
const PICTURE_BYTES = 20 * 1024 * 1024;

/** The HTML with pictures that it brings along inside, so that showing it needs no further request. */
export function withOwnPictures(html: string, parts: readonly Part[]): string {
  let left = PICTURE_BYTES;
  const byId = new Map(
    parts.flatMap((part) => (part.contentId === undefined ? [] : [[part.contentId, part] as const])),
  );
  return html.replace(/cid:([^"'\s)>]+)/gi, (text, id: string) => {
    const part = byId.get(decoded(id));
    if (!part || !/^image\/(png|jpeg|gif|webp|avif|bmp)$/i.test(part.type)) return text;
    left -= part.content.length;
    if (left < 0) return text;
    return `data:${part.type};base64,${part.content.toString("base64")}`;
  });
}

function partOf({ filename, mimeType, content, contentId }: Attachment, index: number): Part {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : Buffer.from(new Uint8Array(content));
  return {
    name: filename ?? `attachment-${index + 1}`,
    type: /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i.test(mimeType) ? mimeType : "application/octet-stream",
    content: bytes,
    ...(contentId === undefined ? {} : { contentId: contentId.replace(/^<|>$/g, "") }),
  };
}

function written({ name, address, group }: Address): string {
  if (group) return `${name}: ${group.map(written).join(", ")}`;
  return name === "" ? address : `${name} <${address}>`;
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
