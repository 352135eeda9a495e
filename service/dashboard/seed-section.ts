/** The buttons that choose what a preview's database is seeded with, and what their form brings back. */
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import type { Session } from "../session.ts";
import type { Choice } from "./choice.ts";
import { buttonGroup, postForm, submitButton } from "./forms.ts";

export const seedChoice: Choice = {
  action: "seed",
  field: "scenario",
  text: "Make its database anew",
  question: questionOf,
};

/** Nothing where there is no choice. */
export function seedForm({ key, stage, scenario, scenarios = [] }: PreviewView, session: Session): Html {
  if (scenarios.length === 0 || stage === "Gone" || stage === "Closed") return html``;
  const buttons = scenarios.map((name) =>
    submitButton({
      name: "scenario",
      value: name,
      text: name === scenario ? `${name} (again)` : name,
      label: `Seed with ${name}`,
      question: questionOf(key, name),
      tone: "danger",
    }),
  );
  const body = buttonGroup("Seed with", buttons);
  return postForm({ to: `${detailHref(key)}/seed`, session, label: `Seed of ${key}`, body });
}

export function seedDone({ key }: Pick<PreviewView, "key">): string {
  return `The database of ${key} is made anew and seeded.`;
}

function questionOf(key: string, scenario: string): string {
  return `Seed ${key} with "${scenario}"? Its database is made anew, and what is in it is lost.`;
}
