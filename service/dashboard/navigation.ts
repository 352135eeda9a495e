/** The pages that every page leads to. A new one is one line here. */
import { type Html, html } from "../html.ts";
import { type Deed, EVERYTHING, may } from "../roles.ts";
import type { Frame } from "./layout.ts";

interface Door {
  readonly text: string;
  readonly to: string;
  /** What one must be allowed for there to be anything; absent: nothing. */
  readonly needs?: Deed;
  /** It shows also those something who may only look at some repositories. */
  readonly anywhere?: true;
}

const DOORS: readonly Door[] = [
  { text: "Previews", to: "/" },
  { text: "Trends", to: "/trends", needs: "look" },
  { text: "KPIs", to: "/kpis", needs: "look", anywhere: true },
  { text: "Costs", to: "/costs", needs: "look", anywhere: true },
  { text: "Repositories", to: "/repositories", needs: "look" },
  { text: "Services", to: "/services", needs: "look" },
  { text: "Sweep", to: "/sweep", needs: "operate" },
  { text: "Doctor", to: "/doctor", needs: "look" },
  { text: "Audit", to: "/audit", needs: "administer" },
  { text: "Tokens", to: "/tokens", needs: "administer" },
  { text: "GitHub", to: "/github/installed", needs: "administer" },
  { text: "GitLab", to: "/gitlab", needs: "administer" },
];

export function navigation({ session, path }: Pick<Frame, "session" | "path">): Html {
  const doors = DOORS.filter(
    ({ needs, anywhere }) => needs === undefined || may(session, needs, anywhere ? undefined : EVERYTHING),
  );
  if (doors.length === 1) return html``;
  return html`<nav class="doors" aria-label="Pages"><ul>${doors.map(
    ({ text, to }) => html`<li><a href="${to}"${isHere(to, path) && html` aria-current="page"`}>${text}</a></li>`,
  )}</ul></nav>`;
}

/** A preview's own page belongs to the list. */
function isHere(to: string, path = ""): boolean {
  if (to === "/") return path === "/" || path.startsWith("/previews/");
  return path.split("/")[1] === to.split("/")[1];
}
