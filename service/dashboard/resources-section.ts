/** What a preview consists of: its stack's resources as a tree, its outputs, and what differs from the world. */

import type { StackResource } from "../../infra/stack-resources.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { type Html, html } from "../html.ts";
import type { Session } from "../session.ts";
import { driftSection } from "./drift-section.ts";
import { outputWords, type ResourceNode, resourceTree, typeWords } from "./resource-tree.ts";

export interface ResourcesSection {
  readonly view: PreviewView;
  /** Undefined while they are being read, or cannot be. */
  readonly resources: readonly StackResource[] | undefined;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Undefined for who may not act. */
  readonly session?: Session;
  readonly now: Date;
}

export function resourcesSection({ view, resources, outputs, session, now }: ResourcesSection): Html {
  if (view.stage === "Gone") return html``;
  const tree = resources && resourceTree(resources);
  const said = outputWords(outputs);
  return html`<section class="card" id="resources"><div class="row"><h2>Resources</h2><code class="soft">${view.stack}</code></div>
${driftSection(view, session, now)}
${
  tree === undefined
    ? html`<p class="soft">The stack's state is being read. They are here in a moment.</p>`
    : tree.length === 0
      ? html`<p class="soft">None yet.</p>`
      : html`<ul class="tree">${tree.map(nodeOf)}</ul>`
}
${said.length > 0 && html`<h3>Outputs</h3><dl class="pairs">${said.map(pairOf)}</dl><p class="soft small">Secrets are not among them: they lie encrypted in the state.</p>`}</section>`;
}

function nodeOf({ resource, children }: ResourceNode): Html {
  const { type, name, id, outputs, urn } = resource;
  const said = outputWords(outputs);
  const head = html`<b>${typeWords(type)}</b> ${name}${id !== undefined && id !== name && html` <code class="soft">${id}</code>`}`;
  const own = html`<details><summary>${head}</summary><dl class="pairs">${pairOf(["type", type])}${pairOf(["urn", urn])}${said.map(pairOf)}</dl></details>`;
  return html`<li>${own}${children.length > 0 && html`<ul>${children.map(nodeOf)}</ul>`}</li>`;
}

function pairOf([name, value]: readonly [string, string]): Html {
  return html`<div><dt>${name}</dt><dd><code>${value}</code></dd></div>`;
}
