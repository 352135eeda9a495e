/** `budgets` of stackling.yaml: what previews may cost, and what comes of it when they cost more. */
import { z } from "zod";
import { closest } from "./closest.ts";
import type { RepositoryConfig } from "./repository-types.ts";
import type { Misfit } from "./yaml-file.ts";

/** In the order in which they come; each holds together with those before it. */
export const BUDGET_ACTIONS = ["warn", "refuse", "sleep", "stop"] as const;
export type BudgetAction = (typeof BUDGET_ACTIONS)[number];

export interface BudgetConfig {
  readonly name: string;
  /** All previews together, each repository's, or each preview. */
  readonly of: "all" | "repository" | "preview";
  /** Whose; undefined: all. */
  readonly repositories?: readonly string[];
  /** In the currency of `costs`: of a month (UTC), of a preview that of its whole life. */
  readonly amount: number;
  /** Percent of the amount from which on something is done; what is not here is never done. */
  readonly at: Readonly<Partial<Record<BudgetAction, number>>>;
}

const threshold = z.union([z.literal("never"), z.number().positive("must be more than 0")]);

const DEFAULTS = { warn: 80, refuse: 100 } as const;

export const budgetsSchema = z
  .record(
    z.string().regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be lower-case letters, digits and dashes, 40 at most"),
    z.strictObject({
      of: z
        .enum(["all", "repository", "preview"])
        .optional()
        .describe("What has the amount: `all` previews together, each `repository`, or each `preview`. Default `all`."),
      repositories: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe("Names of the repositories it is for, with `of: repository` or `of: preview`. Default: all."),
      amount: z
        .number()
        .positive("must be more than 0")
        .describe("In the currency of `costs`: of a month (UTC); of a preview that of its whole life."),
      warn: threshold
        .optional()
        .describe("Percent of the amount at which comments, pages, chats and the log say so, or `never`. Default 80."),
      refuse: threshold
        .optional()
        .describe("Percent at which no new previews are made; what is there stays. Default 100; not of a preview."),
      sleep: threshold
        .optional()
        .describe(
          "Percent at which the idlest are put to sleep, as many as it takes for the amount to last. Default `never`.",
        ),
      stop: threshold
        .optional()
        .describe("Percent at which everything in it is stopped until somebody lifts the budget. Default `never`."),
    }),
  )
  .describe("What previews may cost, by a name of yours: docs/cost.md#budgets. Default: no budget.");

type Typed = z.infer<typeof budgetsSchema>;

/** Nothing where there are none, so that nobody looks. */
export function budgetsOf(typed: Typed | undefined): { readonly budgets?: readonly BudgetConfig[] } {
  const budgets = Object.entries(typed ?? {}).map(([name, one]): BudgetConfig => {
    const { of = "all", repositories, amount } = one;
    return { name, of, ...(repositories ? { repositories } : {}), amount, at: thresholdsOf(one) };
  });
  return budgets.length > 0 ? { budgets } : {};
}

function thresholdsOf({ of, ...typed }: Typed[string]): BudgetConfig["at"] {
  const at = BUDGET_ACTIONS.flatMap((action) => {
    const percent = typed[action] ?? (action in DEFAULTS ? DEFAULTS[action as keyof typeof DEFAULTS] : "never");
    // There is nothing new of one preview.
    return percent === "never" || (of === "preview" && action === "refuse") ? [] : [[action, percent] as const];
  });
  return Object.fromEntries(at);
}

export function budgetMisfits(
  typed: Typed | undefined,
  repositories: readonly Pick<RepositoryConfig, "name">[],
): readonly Misfit[] {
  return Object.entries(typed ?? {}).flatMap(([name, one]) => {
    const path = ["budgets", name];
    return [...orderMisfits(path, one), ...scopeMisfits(path, one, repositories)];
  });
}

/** They come one after another: what is to be done first must not lie above what comes later. */
function orderMisfits(path: readonly string[], one: Typed[string]): readonly Misfit[] {
  const at = Object.entries(thresholdsOf(one)) as [BudgetAction, number][];
  return at.flatMap(([action, percent], index) => {
    const above = at.slice(0, index).find(([, before]) => before > percent);
    if (!above) return [];
    const [first, before] = above;
    const message = `"${action}" at ${percent} % comes before "${first}" at ${before} %, and the order is ${BUDGET_ACTIONS.join(", ")}; set "${first}" to ${percent} or less, or to "never"`;
    return [{ path: [...path, action], message }];
  });
}

function scopeMisfits(
  path: readonly string[],
  { of, refuse, repositories: named }: Typed[string],
  repositories: readonly Pick<RepositoryConfig, "name">[],
): readonly Misfit[] {
  const known = repositories.map((repository) => repository.name);
  const unknown = (named ?? []).flatMap((name, index) => {
    if (known.includes(name)) return [];
    const meant = closest(name, known);
    const hint = meant === undefined ? `known: ${known.join(", ")}` : `did you mean "${meant}"?`;
    return [{ path: [...path, "repositories", index], message: `there is no repository "${name}"; ${hint}` }];
  });
  return [
    ...unknown,
    ...(named && (of ?? "all") === "all"
      ? [{ path: [...path, "repositories"], message: '"repositories" needs `of: repository` or `of: preview`' }]
      : []),
    ...(of === "preview" && typeof refuse === "number"
      ? [
          {
            path: [...path, "refuse"],
            message: "a budget of a preview has nothing new to refuse; use `sleep` or `stop`",
          },
        ]
      : []),
  ];
}
