/** The pages that every page leads to. A new one is one line here. */
import { type Html, html } from "./html.ts";
import type { Frame } from "./layout.ts";

interface Door {
  readonly text: string;
  readonly to: string;
  /** Nothing is there for strangers. */
  readonly needsSession?: boolean;
}

const DOORS: readonly Door[] = [
  { text: "Previews", to: "/" },
  { text: "Trends", to: "/trends", needsSession: true },
  { text: "Services", to: "/services", needsSession: true },
  { text: "Sweep", to: "/sweep", needsSession: true },
];

export function navigation({ session, path }: Pick<Frame, "session" | "path">): Html {
  const doors = DOORS.filter(({ needsSession }) => session || !needsSession);
  if (doors.length === 1) return html``;
  return html`<nav class="doors" aria-label="Pages"><ul>${doors.map(
    ({ text, to }) => html`<li><a href="${to}"${isHere(to, path) && html` aria-current="page"`}>${text}</a></li>`,
  )}</ul></nav>`;
}

/** A preview's own page belongs to the list. */
function isHere(to: string, path = ""): boolean {
  if (to === "/") return path === "/" || path.startsWith("/previews/");
  return path === to || path.startsWith(`${to}/`);
}
