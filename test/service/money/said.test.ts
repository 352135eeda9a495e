import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chatMessage } from "../../../service/chat/message.ts";
import { renderComment } from "../../../service/comment/comment.ts";
import { previewFacts } from "../../../service/comment/facts.ts";
import type { Holding } from "../../../service/money/budgets/words.ts";
import type { PreviewCost } from "../../../service/money/costs.ts";
import { type CostFact, costFact, toldSteadily } from "../../../service/money/said.ts";
import { aPreview } from "../../support/previews.ts";

const cost = (total: number, more: Partial<PreviewCost> = {}): PreviewCost => ({
  ...{ currency: "USD", total, month: total, today: 0, basis: "estimated" },
  ...more,
});

describe("what is said of a cost", () => {
  it("is coarse: two digits, and no cents of cents", () => {
    assert.deepEqual(costFact(cost(0.0031)), { soFar: "less than $0.01" });
    assert.deepEqual(costFact(cost(4.237)), { soFar: "$4.20" });
    assert.deepEqual(costFact(cost(123.4, { month: 12.3 })), { soFar: "$120.00", month: "$12.00" });
  });

  it("names what it is about to take", () => {
    const estimate = {
      ...{ awakePerHour: 0.031, asleepPerHour: 0.0008, perMonth: 22.6 },
      ...{ unpriced: [], approximate: false, words: "in more words" },
    };
    assert.equal(costFact(cost(1, { estimate })).estimate, "about $0.74 a day awake, $0.58 a month asleep");
    assert.equal(
      costFact(cost(1, { estimate: { ...estimate, asleepPerHour: 0 } })).estimate,
      "about $0.74 a day awake, nothing asleep",
    );
    const none = { ...estimate, unpriced: ["cpu"] as const, words: "no price set for cpu" };
    assert.equal(costFact(cost(1, { estimate: none })).estimate, "no price set for cpu");
  });

  it("is an edit once an hour at most, by itself; with any other edit it is the newest", async () => {
    const at = (minute: number) => new Date(Date.parse("2026-11-22T10:00:00.000Z") + minute * 60_000).toISOString();
    let [kept, told, state, reads]: [string | undefined, string, string, number] = [undefined, "", "Ready", 0];
    const tell = async (minute: number, dollars: number) => {
      const read = async () => {
        reads += 1;
        return costFact(cost(dollars));
      };
      const made = await toldSteadily({ kept, now: at(minute), read }, async (said: CostFact | undefined) => {
        const value = `${state} ${said?.soFar}`;
        return { value, isSame: value === told };
      });
      if (made.isSame) return "same";
      [kept, told] = [made.keep, made.value];
      return made.value;
    };
    assert.equal(await tell(0, 1), "Ready $1.00");
    assert.equal(await tell(1, 1.2), "same");
    assert.equal(await tell(59, 1.9), "same");
    assert.equal(reads, 1, "nobody asks the ledger meanwhile");
    assert.equal(await tell(60, 2), "Ready $2.00");
    state = "Asleep";
    assert.equal(await tell(61, 2.1), "Asleep $2.10");
    assert.equal(await tell(200, 2.1), "same", "nor an hour later for the same amount");
  });
});

describe("a comment with money in it", () => {
  const preview = aPreview({ urls: { web: "https://pr-42-shop.preview.acme.dev" } });
  const said = { soFar: "$4.20", month: "$1.10", estimate: "about $0.74 a day awake, nothing asleep" };
  const team: Holding = {
    ...{ name: "team", of: "repository", subject: "shop", level: "sleeping", percent: 110 },
    ...{ amount: 100, currency: "USD", until: "2026-12-01T00:00:00.000Z" },
  };

  it("has what it took and is about to take, and the budget that holds with who lifts it; so has a chat", () => {
    const comment = renderComment(preview, { cost: said, budget: team });
    assert.match(
      comment,
      /\| Cost \| \$4\.20 so far · \$1\.10 this month · about \$0\.74 a day awake, nothing asleep \|/,
    );
    assert.match(
      comment,
      /> \[!WARNING\]\n> The budget "team" of shop \(\$100\.00 a month\) is used to 110 % or more\./,
    );
    assert.match(comment, /`stackling budget lift team --of 'shop' --for 48h`/);
    const { lines, rows } = chatMessage(previewFacts(preview, { cost: said, budget: team }));
    assert.ok(lines.some((line) => line.includes('The budget "team" of shop')));
    assert.ok(rows.some(({ name }) => name === "Cost"));
  });

  it("leaves the warning of all previews together to those who can do something about it", () => {
    const all: Holding = { ...team, of: "all", subject: "", level: "warned", percent: 80 };
    assert.doesNotMatch(renderComment(preview, { budget: all }), /budget/);
    assert.match(renderComment(preview, { budget: { ...all, level: "refusing" } }), /No new previews are made/);
  });
});
