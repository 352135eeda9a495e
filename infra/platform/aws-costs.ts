import { Budget } from "@pulumi/aws/budgets/budget.js";
import { CostAllocationTag } from "@pulumi/aws/costexplorer/costAllocationTag.js";
import type { AwsPlatformArgs, Site } from "./aws.ts";

/** Tags that a bill is read by; every preview's resources bear them (infra/tags.ts). */
const BILL_TAGS = ["stack", "preview", "repository", "owner", "team", "cost-center"] as const;

const PERCENTS = [50, 80, 100] as const;

/** A budget that tells when half, most and all of it is spent, and when all of it will be. */
export function createCosts({ name, childName, parent }: Site, { budget, costTags }: AwsPlatformArgs): void {
  if (costTags) {
    for (const tag of BILL_TAGS) {
      new CostAllocationTag(childName(`tag-${tag}`), { tagKey: `stackling:${tag}`, status: "Active" }, { parent });
    }
  }
  if (!budget) return;
  const { monthlyUsd, emails, costCenter } = budget;
  const tell = {
    comparisonOperator: "GREATER_THAN",
    thresholdType: "PERCENTAGE",
    subscriberEmailAddresses: [...emails],
  };
  new Budget(
    childName("budget"),
    {
      name: `${name}-previews`,
      budgetType: "COST",
      timeUnit: "MONTHLY",
      limitAmount: String(monthlyUsd),
      limitUnit: "USD",
      ...(costCenter === undefined
        ? {}
        : { costFilters: [{ name: "TagKeyValue", values: [`user:stackling:cost-center$${costCenter}`] }] }),
      notifications: [
        ...PERCENTS.map((threshold) => ({ ...tell, threshold, notificationType: "ACTUAL" })),
        { ...tell, threshold: 100, notificationType: "FORECASTED" },
      ],
    },
    { parent },
  );
}
