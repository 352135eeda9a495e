/** Content codings of a page that is read on its way: taken off, and put on again as the client wished. */
import type { Transform } from "node:stream";
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createZstdCompress,
  createZstdDecompress,
} from "node:zlib";

export interface Coding {
  /** Gives out what it can of a body that is cut short, as browsers do. */
  decoder(): Transform;
  /** Gives out each piece at once: a page that comes by and by goes on coming by and by. */
  encoder(): Transform;
}

/** Quick rather than small: the bytes were packed once already, by somebody who had the time. */
const GZIP_LEVEL = 4;
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 };

const gzip: Coding = {
  decoder: () => createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }),
  encoder: () => createGzip({ level: GZIP_LEVEL, flush: constants.Z_SYNC_FLUSH }),
};

const codings: Readonly<Record<string, Coding>> = {
  gzip,
  "x-gzip": gzip,
  br: {
    decoder: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
    encoder: () => createBrotliCompress({ params: BROTLI, flush: constants.BROTLI_OPERATION_FLUSH }),
  },
  zstd: {
    decoder: () => createZstdDecompress({ finishFlush: constants.ZSTD_e_flush }),
    encoder: () => createZstdCompress({ flush: constants.ZSTD_e_flush }),
  },
};

/** By a Content-Encoding; undefined for one that nobody here knows, or for several. `plain` where nothing is coded. */
export function codingOf(contentEncoding: string | undefined): Coding | "plain" | undefined {
  const name = contentEncoding?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return "plain";
  return Object.hasOwn(codings, name) ? codings[name] : undefined;
}
