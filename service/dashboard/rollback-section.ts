/** The buttons by which somebody goes back to a commit that served before, and what their form brings back. */
import { isStage } from "../../infra/names.ts";
import { detailHref } from "../addresses.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import { minuteOf } from "../reason-words.ts";
import type { Session } from "../session.ts";
import type { Choice } from "./choice.ts";
import { buttonGroup, postForm, submitButton } from "./forms.ts";

export const rollbackChoice: Choice = { action: "rollback", field: "sha", text: "Roll back", question: questionOf };
const OFFERED = 5;

/** Nothing where there is nowhere to go back to. */
export function rollbackForm(
  { key, stage, rolledBack, goodCommits = [], headSha }: PreviewView,
  session: Session,
): Html {
  if (stage === "Gone" || stage === "Closed") return html``;
  const to = `${detailHref(key)}/rollback`;
  const ahead = rolledBack && headSha;
  const buttons = [
    ...(ahead
      ? [button(headSha, "Follow the head", `Follow the head of ${key} again? It then serves its newest commit.`)]
      : []),
    ...goodCommits
      .slice(0, OFFERED)
      .map(({ sha, at }) =>
        button(sha, sha.slice(0, 7), questionOf(key, sha), `Roll back to ${sha.slice(0, 7)} of ${minuteOf(at)}`),
      ),
  ];
  if (buttons.length === 0) return html``;
  const body = buttonGroup("Roll back to", buttons);
  return postForm({ to, session, label: `Rollback of ${key}`, body });
}

function button(sha: string, text: string, question: string, label?: string): Html {
  return submitButton({ name: "sha", value: sha, text, question, tone: "danger", ...(label ? { label } : {}) });
}

export function rollbackDone({ key }: Pick<PreviewView, "key">): string {
  return `${key} is brought to the commit that you chose.`;
}

function questionOf(key: string, sha: string): string {
  if (isStage(key)) return `Bring ${key} to commit ${sha.slice(0, 7)}? Its database stays as newer migrations left it.`;
  return `Bring ${key} to commit ${sha.slice(0, 7)}? Where newer migrations changed its database, that is made anew and what is in it is lost.`;
}
