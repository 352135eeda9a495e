/** Approvals counted by a rule: whose, how many, and nobody's of what is his own. Pure. */

/** A person's word for one commit. */
export interface Word {
  /** `@login` of the forge, or the name that the audit has. */
  readonly by: string;
  /** ISO 8601 UTC */
  readonly at: string;
}

export interface ApprovalRule {
  readonly required: number;
  /** Undefined: everybody who may act. */
  readonly by?: readonly string[];
  /** Whether who asks may approve too. */
  readonly own: boolean;
}

/** Those that count for what `asker` asks for, each person once, as they came. */
export function counted<W extends Word>(given: readonly W[], rule: ApprovalRule, asker: string): readonly W[] {
  const valid = given.filter(({ by }) => mayApprove(rule, by) && (rule.own || !isSamePerson(by, asker)));
  return valid.filter(({ by }, at) => valid.findIndex((one) => isSamePerson(one.by, by)) === at);
}

/** How many are still to approve. */
export function missingOf(given: readonly Word[], rule: ApprovalRule, asker: string): number {
  return Math.max(0, rule.required - counted(given, rule, asker).length);
}

/** Why somebody's word would not count, as the rest of a sentence; undefined when it does. */
export function approverProblem(rule: ApprovalRule, by: string, asker: string): string | undefined {
  if (!mayApprove(rule, by)) return `${by} is none of those who may approve it (${rule.by?.join(", ") ?? ""})`;
  if (rule.own || !isSamePerson(by, asker)) return undefined;
  return `${by} asked for it, and nobody approves what is his own; somebody else must`;
}

export function isSamePerson(one: string, other: string): boolean {
  return isSameName(one, other) || (NAMELESS.has(one) && NAMELESS.has(other));
}

/** The instance's token and the printed link: whoever sits at the machine has both. */
const NAMELESS: ReadonlySet<string> = new Set(["api", "page"]);

/** Forges and mail know no case in names. */
function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function mayApprove({ by }: ApprovalRule, name: string): boolean {
  return by === undefined || by.some((one) => isSameName(one, name));
}
