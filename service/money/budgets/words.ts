/** Budgets as people read them. Pure, and without an amount that moves: what is said stays said until something changes. */

import type { BudgetAction } from "../../config/budgets.ts";
import { moneyWords } from "../amount.ts";
import { ACTION_OF, type Level, type Standing } from "./budget.ts";

/** What holds of a budget, as far as words need it. */
export interface Holding {
  readonly name: string;
  readonly of: Standing["budget"]["of"];
  /** Repository or key; empty of all together. */
  readonly subject: string;
  readonly level: Exclude<Level, "within">;
  /** Of the amount, at which that comes. */
  readonly percent: number;
  readonly amount: number;
  readonly currency: string;
  /** ISO 8601: when it begins anew; absent of a preview's. */
  readonly until?: string;
  /** Of one that only warns: what comes first behind that. */
  readonly next?: { readonly action: Exclude<BudgetAction, "warn">; readonly percent: number };
  /** Its repository's budget stops it, maybe behind this one. */
  readonly repositoryStopped?: boolean;
}

/** `the budget "team" of shop ($100.00 a month)` */
export function budgetWords({ name, of, subject, amount, currency }: Omit<Holding, "level" | "percent" | "until">) {
  const whose = of === "repository" ? ` of ${subject}` : "";
  const time = of === "preview" ? "a preview" : "a month";
  return `the budget "${name}"${whose} (${moneyWords(amount, currency)} ${time})`;
}

const DOES: Readonly<Record<Exclude<Level, "within">, readonly [others: string, preview: string]>> = {
  warned: ["", ""],
  refusing: ["No new previews are made; what is there stays.", ""],
  sleeping: [
    "No new previews are made, and the idlest are put to sleep; a visit wakes them.",
    "It is put to sleep whenever nobody has used it for a while; a visit wakes it.",
  ],
  stopped: ["Everything in it is stopped; data and links are kept.", "It is stopped; its data and link are kept."],
};

const COMES: Readonly<Record<NonNullable<Holding["next"]>["action"], readonly [others: string, preview: string]>> = {
  refuse: ["no new previews are made", "it is built no more"],
  sleep: ["the idlest are put to sleep", "it is put to sleep whenever nobody uses it"],
  stop: ["everything in it is stopped", "it is stopped"],
};

/** Sentences: how far it is used, what that means, and who can lift it. */
export function holdingWords(holding: Holding): readonly string[] {
  const { of, level, percent, next } = holding;
  const what = budgetWords(holding);
  const does = DOES[level][of === "preview" ? 1 : 0];
  return [
    `${what.slice(0, 1).toUpperCase()}${what.slice(1)} is used to ${percent} % or more.`,
    ...(does === "" ? [] : [does]),
    ...(next ? [`At ${next.percent} % ${COMES[next.action][of === "preview" ? 1 : 0]}.`] : []),
    ...(level === "warned" && !next ? [] : [liftWords(holding)]),
  ];
}

/** Who lets it go on, and how. */
function liftWords({ name, subject, until }: Pick<Holding, "name" | "subject" | "until">): string {
  const own = subject === "" ? "" : ` --of '${subject}'`;
  const alone = until === undefined ? "" : `It goes on by itself on ${until.slice(0, 10)}; before that `;
  const who = alone === "" ? "An admin lifts it" : "an admin lifts it";
  return `${alone}${who}: \`stackling budget lift ${name}${own} --for 48h\`, or the page of costs.`;
}

/** Who the audit and the kill switch say has acted. */
export function stopper(name: string): string {
  return `budget ${name}`;
}

/** The name of the budget that acted so; undefined where somebody else did. */
export function budgetOf(by: string): string | undefined {
  return by.startsWith(stopper("")) ? by.slice(stopper("").length) : undefined;
}

/** As the audit and the log have it: `warn`, `refuse`, … and `open` where nothing holds any more. */
export function verbOf(level: Level): string {
  return level === "within" ? "open" : ACTION_OF[level];
}

/** Whole, and 100 only where all of it is used. */
export function percentOf({ used, amount }: { readonly used: number; readonly amount: number }): number {
  return Math.floor((used / amount) * 100 + 1e-6);
}
