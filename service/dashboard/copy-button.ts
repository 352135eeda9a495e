/** Copies what an element holds; a script shows it where the browser lets it do so. */
import { type Html, html } from "../html.ts";

/** @param id of the element */
export function copyButton(id: string): Html {
  return html`<button type="button" data-copies="${id}" hidden>Copy</button>`;
}
