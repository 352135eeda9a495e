/** HMAC-SHA-256 (RFC 2104) in its parts: the database server lacks it, and Node's own is slow for millions of short texts. */
import { hash } from "node:crypto";

export interface KeyPads {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const BLOCK_BYTES = 64;

/** The two blocks that a key gives: the digest of a text is `sha256(outer ‖ sha256(inner ‖ text))`. */
export function padsOf(key: Uint8Array): KeyPads {
  const short = key.length > BLOCK_BYTES ? hash("sha256", key, "buffer") : key;
  const block = Buffer.concat([short, Buffer.alloc(BLOCK_BYTES - short.length)]);
  return { inner: Buffer.from(block.map((byte) => byte ^ 0x36)), outer: Buffer.from(block.map((byte) => byte ^ 0x5c)) };
}

export function keyedDigest({ inner, outer }: KeyPads, text: string): Buffer {
  return digest(outer, digest(inner, Buffer.from(text)));
}

function digest(pad: Buffer, message: Buffer): Buffer {
  return hash("sha256", Buffer.concat([pad, message]), "buffer");
}
