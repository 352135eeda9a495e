/** A link as a QR code, for the phone beside the screen. */
import { encode } from "uqr";
import { isLocalhost } from "../../config/access-schema.ts";
import { type Html, html } from "../../html.ts";

export interface QrCode {
  /** Width and height in modules, with the quiet zone. */
  readonly size: number;
  /** The dark modules, as `d` of an SVG `path` in a box of that size. */
  readonly path: string;
}

/** ISO/IEC 18004 asks for four modules of light all around. */
const QUIET_ZONE = 4;
/** A preview's own are far shorter; no code holds 3,000, and each character costs time. */
const LENGTH_MAX = 300;

/** Undefined for an address that no phone can reach, or that nobody but an attacker would write. */
export function qrCodeOf(url: string): QrCode | undefined {
  if (url.length > LENGTH_MAX || !URL.canParse(url) || isLocalhost(new URL(url).host)) return undefined;
  const { data, size } = encode(url, { ecc: "M", border: QUIET_ZONE });
  const runs = data.flatMap((row, y) => darkRuns(row).map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`));
  return { size, path: runs.join("") };
}

/** The code on a page of ours; nothing where there is none. */
export function qrPicture(url: string): Html {
  const code = qrCodeOf(url);
  if (!code) return html``;
  return html`<svg class="qr" viewBox="0 0 ${code.size} ${code.size}" role="img" aria-label="QR code of its link, for a phone"><path d="${code.path}"/></svg>`;
}

function darkRuns(row: readonly boolean[]): readonly (readonly [start: number, length: number])[] {
  const runs: [number, number][] = [];
  for (const [x, isDark] of row.entries()) {
    const last = runs.at(-1);
    if (!isDark) continue;
    if (last && last[0] + last[1] === x) last[1] += 1;
    else runs.push([x, 1]);
  }
  return runs;
}
