/** Search and filters of the list: a form that works without a script, and as one types with it. */
import { type Html, html } from "../html.ts";
import { CONDITIONS, STAGES } from "../status.ts";
import { type Listing, sortOf } from "./listing.ts";

export function filterForm({ wish, repositories, authors }: Listing): Html {
  return html`<search><form id="filter" class="filter" action="/" method="get" hx-get="/" hx-target="#live" hx-select="#live" hx-swap="morph" hx-push-url="true" hx-trigger="input delay:150ms, submit" hx-sync="this:replace">
<label class="wide-field"><span>Search</span><input type="search" name="q" value="${wish.q}" placeholder="Key, title, branch or author" autocomplete="off" spellcheck="false"></label>
${select({ name: "status", text: "Status", chosen: wish.status, options: CONDITIONS })}
${select({ name: "stage", text: "Stage of life", chosen: wish.stage, options: STAGES, any: "All but gone" })}
${wish.reason !== "" && select({ name: "reason", text: "Reason", chosen: wish.reason, options: [] })}
${select({ name: "repository", text: "Repository", chosen: wish.repository, options: repositories })}
${select({ name: "author", text: "Author", chosen: wish.author, options: authors })}
<input type="hidden" name="sort" value="${sortOf(wish)}"><button class="apply">Show</button></form></search>`;
}

interface Select {
  readonly name: string;
  readonly text: string;
  readonly chosen: string;
  readonly options: readonly string[];
  readonly any?: string;
}

function select({ name, text, chosen, options, any = "All" }: Select): Html {
  const all = chosen === "" || options.includes(chosen) ? options : [...options, chosen];
  return html`<label><span>${text}</span><select name="${name}"><option value="">${any}</option>${all.map(
    (option) => html`<option${option === chosen && html` selected`}>${option}</option>`,
  )}</select></label>`;
}
