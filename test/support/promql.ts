/** What an expression asks of which metrics, by Prometheus' own grammar. */
import { parser } from "@prometheus-io/lezer-promql";

type Node = ReturnType<ReturnType<typeof parser.parse>["resolve"]>;

export interface Selector {
  readonly metric: string;
  /** `outcome` to what it is compared with: the text of a match, or the alternatives of a pattern. */
  readonly matchers: readonly { readonly label: string; readonly values: readonly string[] | undefined }[];
  /** Functions and aggregations around it, the nearest first: `rate`, `sum`, … */
  readonly around: readonly string[];
  /** Labels by which the aggregations around it group. */
  readonly groupedBy: readonly string[];
}

/** Variables of Grafana as something that parses. */
export function withoutVariables(expression: string): string {
  return expression.replace(/\$__(rate_interval|range|interval)/g, "5m");
}

/** Throws with the place where it is no PromQL. */
export function selectorsOf(expression: string): readonly Selector[] {
  const tree = parser.parse(expression);
  const selectors: Selector[] = [];
  tree.iterate({
    enter(node) {
      if (node.type.isError) {
        throw new SyntaxError(`no PromQL at "${expression.slice(node.from, node.from + 30)}" of ${expression}`);
      }
      if (node.name === "VectorSelector") selectors.push(selectorOf(node.node, expression));
    },
  });
  return selectors;
}

function selectorOf(node: Node, expression: string): Selector {
  const text = (one: Node | null) => (one ? expression.slice(one.from, one.to) : "");
  const matchers = ["UnquotedLabelMatcher", "QuotedLabelMatcher"].flatMap((kind) =>
    (node.getChild("LabelMatchers")?.getChildren(kind) ?? []).map((matcher) => {
      const [label, operator, value] = [matcher.firstChild, matcher.getChild("MatchOp"), matcher.lastChild];
      const said = text(value).slice(1, -1);
      const values = said.includes("$") ? undefined : text(operator).includes("~") ? said.split("|") : [said];
      return { label: text(label), values };
    }),
  );
  const around: string[] = [];
  const groupedBy: string[] = [];
  for (let up = node.parent; up; up = up.parent) {
    if (up.name === "FunctionCall") around.push(text(up.getChild("FunctionIdentifier")));
    if (up.name !== "AggregateExpr") continue;
    around.push(text(up.getChild("AggregateOp")));
    const labels = up.getChild("AggregateModifier")?.getChild("GroupingLabels")?.getChildren("LabelName") ?? [];
    groupedBy.push(...labels.map(text));
  }
  return { metric: text(node.getChild("Identifier")), matchers, around, groupedBy };
}
