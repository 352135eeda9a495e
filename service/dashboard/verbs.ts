/** What the pages' buttons ask for: the wish, its words, and a question where something is lost. Pure. */
import { isStage } from "../../infra/names.ts";
import type { ActionRequest } from "../api/actions.ts";
import type { PreviewView } from "../api/preview-view.ts";
import { minuteOf } from "../reason-words.ts";

export interface Verb {
  readonly wish: ActionRequest;
  /** On the button. */
  readonly text: string;
  /** Said of the button where its text alone does not tell. */
  readonly label?: string;
  /** Said once the wish is stored. */
  readonly done: (view: PreviewView) => string;
  /** Asked before it is done. */
  readonly question?: (key: string) => string;
  /** Nothing of it happens while everything is stopped. */
  readonly bringsUp?: boolean;
}

const HOUR_SECONDS = 3600;

function extendBy(hours: number, text: string, label: string): Verb {
  return {
    wish: { action: "extend", seconds: hours * HOUR_SECONDS },
    text,
    label,
    done: ({ key, extendedTo }) => `${key} stays until ${extendedTo ? minuteOf(extendedTo) : "then"} at least.`,
  };
}

const VERBS = {
  wake: { wish: { action: "wake" }, text: "Wake", done: ({ key }) => `${key} wakes up.`, bringsUp: true },
  sleep: { wish: { action: "sleep" }, text: "Put to sleep", done: ({ key }) => `${key} goes to sleep.` },
  "extend-24h": extendBy(24, "24 hours", "Extend by 24 hours"),
  "extend-48h": extendBy(48, "48 hours", "Extend by 48 hours"),
  "extend-7d": extendBy(7 * 24, "7 days", "Extend by 7 days"),
  keep: {
    wish: { action: "keep", keep: true },
    text: "Keep",
    done: ({ key }) => `${key} is kept: it sleeps when nobody looks, and is not removed.`,
  },
  "keep-no-longer": {
    wish: { action: "keep", keep: false },
    text: "No longer keep",
    done: ({ key }) => `${key} is not kept any more: its times count from now.`,
  },
  redeploy: {
    wish: { action: "redeploy" },
    text: "Redeploy",
    done: ({ key }) => `${key} is built again.`,
    bringsUp: true,
  },
  rebuild: { wish: { action: "redeploy" }, text: "Rebuild", done: ({ key }) => `${key} is made anew.`, bringsUp: true },
  "reset-db": {
    wish: { action: "reset-db" },
    text: "Reset database",
    done: ({ key }) => `The database of ${key} is made anew.`,
    question: (key) => `Reset the database of ${key}? It is made anew, and its data is lost.`,
    bringsUp: true,
  },
  rotate: {
    wish: { action: "rotate" },
    text: "Rotate credentials",
    done: ({ key }) => `${key} gets another database login and other secrets.`,
    question: (key) =>
      `Rotate the credentials of ${key}? Its services start anew with another database login and other generated secrets, and the ones before end.`,
    bringsUp: true,
  },
  repair: {
    wish: { action: "repair" },
    text: "Repair",
    done: ({ key }) => `${key} is compared with the world, and made as it should be.`,
    question: (key) => `Repair ${key}? It is compared with the world, and what differs is made as it should be.`,
    bringsUp: true,
  },
  down: {
    wish: { action: "down" },
    text: "Take down",
    done: ({ key }) => `${key} is being removed.`,
    question: (key) =>
      `Take down ${key}? The ${isStage(key) ? "stage" : "preview"} and its database are removed${isStage(key) ? ", with all that is in it" : ""}.`,
  },
} satisfies Readonly<Record<string, Verb>>;

export type VerbName = keyof typeof VERBS;

/** Undefined for what no button asks for. */
export function findVerb(name: string | undefined): { readonly name: VerbName; readonly verb: Verb } | undefined {
  if (name === undefined || !Object.hasOwn(VERBS, name)) return undefined;
  return { name: name as VerbName, verb: VERBS[name as VerbName] };
}

export function verbOf(name: VerbName): Verb {
  return VERBS[name];
}

/** What may be asked of a preview as it is now; `extend` only where something would end it. */
export function verbsFor(view: PreviewView): { readonly plain: readonly VerbName[]; readonly extend: boolean } {
  if (view.stage === "Gone") return { plain: view.rebuildable ? ["rebuild"] : [], extend: false };
  if (view.stage === "Closed") return { plain: [], extend: false };
  if (isStage(view.key)) return { plain: stageVerbs(view), extend: false };
  const plain: VerbName[] = [];
  if (view.commit !== undefined) plain.push(view.awake ? "sleep" : "wake");
  if (view.keptBy === "person") plain.push("keep-no-longer");
  if (!view.kept) plain.push("keep");
  plain.push("redeploy");
  if (view.database !== undefined) plain.push("reset-db", "rotate");
  plain.push("down");
  return { plain, extend: !view.kept };
}

/** It has no end, and nothing makes its database anew. */
function stageVerbs({ commit, awake, database }: PreviewView): readonly VerbName[] {
  if (commit === undefined) return [];
  return [awake ? "sleep" : "wake", "redeploy", ...(database === undefined ? [] : (["rotate"] as const)), "down"];
}

export const EXTENSIONS: readonly VerbName[] = ["extend-24h", "extend-48h", "extend-7d"];
