/** Budgets: how far each is used, and who lets it go on. */
import { z } from "zod";
import { BUDGET_ACTIONS } from "../../config/budgets.ts";
import { LEVELS, type Lift } from "../../money/budgets/budget.ts";
import type { BudgetState, Budgets } from "../../money/budgets/budgets.ts";
import { holding } from "../../money/budgets/standing.ts";
import { uncountedWords } from "../../money/budgets/uncounted.ts";
import { budgetWords, holdingWords } from "../../money/budgets/words.ts";
import { METERS } from "../../money/types.ts";
import type { Caller } from "../../roles.ts";
import type { Doing } from "../doing.ts";
import { type Route, route } from "../route.ts";

export interface BudgetRoutesDeps {
  readonly budgets: Pick<Budgets, "states" | "lift" | "unlift">;
  readonly doing: Pick<Doing, "note">;
}

/** Of one with a thousand previews the fullest are the ones that anybody asks of. */
const SHOWN_MOST = 200;

const text = z.string();
const time = z.iso.datetime();
const amount = z.number().describe("In `currency`, not rounded.");
const level = z.enum(LEVELS);
const lift = z.strictObject({ at: time, until: time, by: text }).meta({ id: "BudgetLift" });
const someLift = lift
  .extend({ subject: text.describe("Whom it is of; empty of all that have the budget.") })
  .meta({ id: "BudgetLiftOf" });

const budget = z
  .strictObject({
    name: text,
    of: z.enum(["all", "repository", "preview"]),
    subject: text.describe("Repository or key; empty of all previews together."),
    amount,
    currency: text.describe("ISO 4217"),
    used: amount,
    forecast: amount.optional().describe("Of the whole month at the pace of the last week."),
    thresholds: z.partialRecord(z.enum(BUDGET_ACTIONS), z.number()).describe("Percent of the amount, by action."),
    level: level.describe("By what is used."),
    held: level.describe("What holds, in spite of a lift."),
    until: time.optional().describe("When it begins anew; absent of a preview's."),
    lift: someLift.optional(),
    uncounted: z
      .strictObject({ previews: z.int(), meters: z.array(z.enum(METERS)) })
      .optional()
      .describe("How many of its previews take what has no price and is on no bill, which counts as nothing."),
    says: z
      .array(text)
      .describe("Sentences for people: what holds, who can lift it and how; within it only what is not counted."),
  })
  .meta({ id: "Budget" });
export type BudgetView = z.output<typeof budget>;

const subject = z
  .string()
  .min(1)
  .max(300)
  .optional()
  .describe("Repository or key among those that have the budget. Default: all of them.");
const liftRequest = z.strictObject({
  subject,
  forSeconds: z
    .int()
    .min(60)
    .max(31 * 86_400)
    .optional()
    .describe("At most until it begins anew. Default: until then, of a preview's a week."),
});
export type BudgetLiftRequest = z.input<typeof liftRequest>;

export function budgetRoutes({ budgets, doing }: BudgetRoutesDeps): readonly Route[] {
  const saying = (name: string, of: string | undefined) => (of === undefined ? name : `${name} of ${of}`);
  return [
    route({
      method: "get",
      path: "/budgets",
      id: "listBudgets",
      tag: "Instance",
      summary: "How far each budget is used, and what that holds back",
      description: `In the order of the config, and of each the fullest first; of one of previews at most ${SHOWN_MOST}.`,
      may: "look",
      where: "anywhere",
      answer: { status: 200, schema: z.strictObject({ budgets: z.array(budget) }), says: "How each stands." },
      handle: async ({ caller }) => ({ budgets: viewsFor(caller, await budgets.states()) }),
    }),
    route({
      method: "post",
      path: "/budgets/:name/lift",
      id: "liftBudget",
      tag: "Instance",
      summary: "Let a budget hold nothing back for a while",
      may: "administer",
      where: "everything",
      body: liftRequest,
      answer: { status: 200, schema: z.strictObject({ lift }), says: "Until when." },
      async handle({ request, param, body: { forSeconds, subject: of } }): Promise<{ lift: Lift }> {
        const name = param("name");
        const what = { action: "budget lift", detail: saying(name, of) };
        const made = await doing.note(request, what, (by) =>
          budgets.lift({
            name,
            by,
            ...(of === undefined ? {} : { subject: of }),
            ...(forSeconds ? { forSeconds } : {}),
          }),
        );
        return { lift: made };
      },
    }),
    route({
      method: "delete",
      path: "/budgets/:name/lift",
      id: "unliftBudget",
      tag: "Instance",
      summary: "Let it hold again",
      may: "administer",
      where: "everything",
      query: z.object({ subject }),
      answer: { status: 200, schema: z.strictObject({ lift: z.null() }), says: "Done, also where it was not lifted." },
      async handle({ request, param, query: { subject: of } }) {
        const name = param("name");
        const what = { action: "budget unlift", detail: saying(name, of) };
        await doing.note(request, what, () => budgets.unlift({ name, ...(of === undefined ? {} : { subject: of }) }));
        return { lift: null };
      },
    }),
  ];
}

/** Of what they may look at; what all previews together cost is not for somebody of some repositories. */
export function viewsFor({ repositories }: Pick<Caller, "repositories">, states: readonly BudgetState[]): BudgetView[] {
  const shown = states.filter(({ repository }) => {
    return repositories === undefined || (repository !== undefined && repositories.includes(repository));
  });
  const counts = new Map<string, number>();
  return shown.flatMap((state) => {
    const count = (counts.get(state.budget.name) ?? 0) + 1;
    counts.set(state.budget.name, count);
    return count > SHOWN_MOST ? [] : [viewOf(state)];
  });
}

function viewOf(state: BudgetState): BudgetView {
  const {
    budget: config,
    subject: of,
    currency,
    used,
    forecast,
    level: reached,
    held,
    until,
    lift: lifted,
    uncounted,
    now,
  } = state;
  const whole = { ...config, subject: of, currency };
  const holds =
    held === "within"
      ? []
      : holdingWords(holding({ budget: config, subject: of, level: held, reached, currency, now }));
  const lacking = uncounted ? [`${uncountedWords(capital(budgetWords(whole)), uncounted)}.`] : [];
  return {
    ...{ name: config.name, of: config.of, subject: of, amount: config.amount, currency, used },
    ...(forecast === undefined ? {} : { forecast }),
    thresholds: { ...config.at },
    ...{ level: reached, held },
    ...(until === undefined ? {} : { until }),
    ...(lifted ? { lift: { ...lifted } } : {}),
    ...(uncounted ? { uncounted: { ...uncounted, meters: [...uncounted.meters] } } : {}),
    says: [...holds, ...lacking],
  };
}

function capital(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
