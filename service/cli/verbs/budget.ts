import type { BudgetView } from "../../api/routes/budgets.ts";
import { parseDuration } from "../../config/duration.ts";
import { percentOf, verbOf } from "../../money/budgets/words.ts";
import { smallMoneyWords } from "../../money/words.ts";
import { minuteOf } from "../../reason-words.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { textOption } from "../options.ts";
import { plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const budgetLs: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const budgets = await client.budgets();
  if (options.json) {
    printJson(context.stdout, { budgets });
    return 0;
  }
  if (budgets.length === 0) {
    printLine(context.stdout, "there are no budgets; stackling.yaml may have some under `budgets`");
    return 0;
  }
  const words = (amount: number, { currency }: BudgetView) => smallMoneyWords(amount, currency);
  const columns = [
    { title: "BUDGET", value: ({ name }: BudgetView) => name },
    { title: "OF", value: ({ subject }: BudgetView) => subject || "all previews", shrinks: true },
    { title: "USED", value: (one: BudgetView) => `${words(one.used, one)} of ${words(one.amount, one)}` },
    { title: "SHARE", value: (one: BudgetView) => `${percentOf(one)} %` },
    { title: "AHEAD", value: (one: BudgetView) => (one.forecast === undefined ? "" : words(one.forecast, one)) },
    { title: "HOLDS", value: ({ held }: BudgetView) => (held === "within" ? "" : verbOf(held)) },
    { title: "LIFTED", value: ({ lift }: BudgetView) => (lift ? `until ${minuteOf(lift.until)} by ${lift.by}` : "") },
  ];
  printLine(context.stdout, table(budgets, columns, context));
  const isSaid = ({ held, uncounted }: BudgetView) => uncounted || (held !== "within" && held !== "warned");
  for (const { says } of budgets.filter(isSaid)) printLine(context.stdout, plain(`\n${says.join(" ")}`));
  return 0;
};

export const budgetLift: RunVerb = async ({ args: [name = ""], options, context }) => {
  const [time, subject] = [textOption(options.for), textOption(options.of)];
  const forSeconds = time === undefined ? undefined : parseDuration(time);
  if (time !== undefined && forSeconds === undefined)
    throw new WrongUse(`lifting the budget "${name}": "${time}" is no time such as 48h or 7d`);
  const client = await connect(options, context);
  const lift = await client.liftBudget(name, {
    ...(subject === undefined ? {} : { subject }),
    ...(forSeconds === undefined ? {} : { forSeconds }),
  });
  if (options.json) printJson(context.stdout, { name, lift });
  else printLine(context.stdout, plain(`the budget "${name}" holds nothing back until ${minuteOf(lift.until)}`));
  return 0;
};

export const budgetUnlift: RunVerb = async ({ args: [name = ""], options, context }) => {
  const client = await connect(options, context);
  await client.unliftBudget(name, textOption(options.of));
  if (options.json) printJson(context.stdout, { name, lift: null });
  else printLine(context.stdout, plain(`the budget "${name}" holds again`));
  return 0;
};
