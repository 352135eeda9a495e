/** What AWS billed, by our tags: Cost Explorer's API, which costs money itself. */
import {
  CostExplorerClient,
  GetCostAndUsageCommand,
  type GetCostAndUsageCommandOutput,
  ListCostAllocationTagsCommand,
} from "@aws-sdk/client-cost-explorer";
import { type ActualCost, type DayRange, nextDay } from "../actual-cost.ts";
import { StacklingError } from "../errors.ts";
import type { Finding } from "../operations.ts";
import { type Account, clientSettings } from "./account.ts";
import { STACK_TAG } from "./claim.ts";
import { awsError } from "./errors.ts";

/** Cost Explorer answers there for all regions: AWS general reference, "AWS Billing and Cost Management endpoints". */
const REGION = "us-east-1";

/** An answer may take long; one that never comes must not hold up the next. */
const PATIENCE = { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true };

/** Pages of one answer; a bill of more has not our tags alone. */
const MOST_PAGES = 50;

export interface CostExplorer {
  /** Of all stacks that the bill knows. The last two days are not whole yet at AWS. */
  costs(range: DayRange): Promise<readonly ActualCost[]>;
  /** Whether the bill can know our stacks at all. */
  checkTag(): Promise<Finding>;
}

/**
 * `spend` is awaited before every call, since AWS charges for each: it rejects when there may be no more.
 * All else rejects with `StacklingError`; throws `TerminalError` (`TargetInvalid`) for a variable that is not set.
 */
export function createCostExplorer(
  account: Omit<Account, "region">,
  { spend }: { readonly spend: () => Promise<void> },
): CostExplorer {
  const client = new CostExplorerClient({
    ...clientSettings({ ...account, region: REGION }),
    // The SDK would ask again by itself, and each time is charged.
    maxAttempts: 1,
    requestHandler: PATIENCE,
  });

  async function call<T>(action: string, question: () => Promise<T>): Promise<T> {
    await spend();
    return question().catch((failure: unknown) => {
      throw awsError(action, failure);
    });
  }

  return {
    async costs({ from, to }) {
      const lines: ActualCost[] = [];
      let page: string | undefined;
      for (let pages = 0; pages < MOST_PAGES; pages++) {
        const question = new GetCostAndUsageCommand({
          TimePeriod: { Start: from, End: nextDay(to) },
          Granularity: "DAILY",
          Metrics: ["UnblendedCost", "UsageQuantity"],
          GroupBy: [
            { Type: "TAG", Key: STACK_TAG },
            { Type: "DIMENSION", Key: "USAGE_TYPE" },
          ],
          Filter: { Not: { Tags: { Key: STACK_TAG, MatchOptions: ["ABSENT"] } } },
          NextPageToken: page,
        });
        const answer = await call("asking AWS Cost Explorer for the bill", () => client.send(question));
        lines.push(...linesOf(answer));
        page = answer.NextPageToken;
        if (page === undefined) return lines;
      }
      throw tooLong();
    },
    async checkTag() {
      const what = `AWS' bill knows the tag "${STACK_TAG}"`;
      const question = new ListCostAllocationTagsCommand({ TagKeys: [STACK_TAG] });
      const { CostAllocationTags: tags = [] } = await call("asking AWS for its cost allocation tags", () =>
        client.send(question),
      );
      if (tags.some(({ Status }) => Status === "Active")) return { ok: true, what };
      const state =
        tags.length > 0 ? "is there and not active" : "is not there yet: it appears a day after the first preview";
      return {
        ok: false,
        what: `AWS' bill does not know what belongs to which preview: the cost allocation tag "${STACK_TAG}" ${state}`,
        remedy: `activate it in the management account, under Billing, Cost allocation tags, or with \`aws ce update-cost-allocation-tags-status --cost-allocation-tags-status TagKey=${STACK_TAG},Status=Active\`; bills have it from a day later on`,
      };
    },
  };
}

/** Half of a bill would look like a whole one. */
function tooLong(): StacklingError {
  const userMessage = `asking AWS Cost Explorer for the bill: it has more than ${MOST_PAGES} pages`;
  return new StacklingError({ reason: "TargetInvalid", userMessage });
}

function linesOf({ ResultsByTime = [] }: GetCostAndUsageCommandOutput): readonly ActualCost[] {
  return ResultsByTime.flatMap(({ TimePeriod, Groups = [] }) =>
    Groups.flatMap(({ Keys: [tag = "", usageType = ""] = [], Metrics = {} }): ActualCost[] => {
      // A group by a tag is called `KEY$VALUE`: API reference, "GetCostAndUsage".
      const stack = tag.slice(tag.indexOf("$") + 1);
      const { UnblendedCost, UsageQuantity } = Metrics;
      const [cost, quantity] = [Number(UnblendedCost?.Amount), Number(UsageQuantity?.Amount ?? 0)];
      const day = TimePeriod?.Start?.slice(0, 10);
      if (stack === "" || day === undefined || !Number.isFinite(cost)) return [];
      const currency = UnblendedCost?.Unit ?? "USD";
      return [{ stack, day, cost, currency, quantity: Number.isFinite(quantity) ? quantity : 0, ...kindOf(usageType) }];
    }),
  );
}

type Kind = Pick<ActualCost, "meter" | "unit" | "resource">;

/** Usage types as AWS writes them, a region's letters in front: `EUC1-Fargate-vCPU-Hours:perCPU`. First match wins. */
const KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/Fargate.*-vCPU-Hours/, { meter: "cpu", unit: "vCPU-hours" }],
  [/Fargate.*Storage-GB-Hours/, { meter: "disk", unit: "GiB-hours" }],
  [/Fargate.*-GB-Hours/, { meter: "memory", unit: "GiB-hours" }],
  [/(LoadBalancerUsage|LCUUsage)$/, { meter: "load-balancer", unit: "hours" }],
  [/DataProcessing-Bytes$|VendedLog-Bytes$/, { meter: "logs", unit: "GiB" }],
  [/TimedStorage-ByteHrs$/, { meter: "logs", unit: "GiB-months", resource: "stored" }],
  [/AWSSecretsManager-Secrets?$/, { meter: "secrets", unit: "units" }],
];

function kindOf(usageType: string): Kind {
  return KINDS.find(([pattern]) => pattern.test(usageType))?.[1] ?? { meter: "other", unit: "units" };
}
