/** Of a stream that may be of any length. */
import { Transform } from "node:stream";

/** Lets `bytes` through and swallows the rest, so that its sender gets an answer and no disk gets full. */
export function beginning(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const kept = chunk.subarray(0, left);
      left -= kept.length;
      done(null, kept.length > 0 ? kept : undefined);
    },
  });
}
