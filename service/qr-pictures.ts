/**
 * QR codes for the comment, which can hold no picture itself: a forge fetches them from here, without a login.
 * Of any name right below Stackling's own, whether or not there is a preview: nobody learns here what there is.
 */
import type { RequestHandler } from "express";
import { qrCodeOf } from "./gateway/banner/qr.ts";

/** The same name has the same code for ever. */
const CACHE = "public, max-age=604800, immutable";

/** Answers `/qr/:file`, where the file is a host's first label and `.svg`. */
export function createQrPictures(homeUrl: string): RequestHandler<{ file: string }> {
  const { protocol, host } = new URL(homeUrl);
  return ({ params: { file } }, response) => {
    const label = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.svg$/.exec(file)?.[1];
    const code = label && qrCodeOf(`${protocol}//${label}.${host}`);
    if (!code) {
      response.status(404).type("text").send("There is no QR code of that.\n");
      return;
    }
    const { size, path } = code;
    response
      .set("cache-control", CACHE)
      .set("content-security-policy", "default-src 'none'")
      .set("x-content-type-options", "nosniff")
      .type("image/svg+xml")
      .send(
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>\n`,
      );
  };
}
