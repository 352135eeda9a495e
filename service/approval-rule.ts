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
  /** Undefined: everybody who may act, but no program. */
  readonly by?: readonly string[];
  /** Whether who asks, and who made it, may approve too. */
  readonly own: boolean;
  /**
   * Of a forge's pull request: nobody else's name tells whether he is one of those who made it. So without `by` its own
   * logins count, and whoever speaks for the operator.
   */
  readonly ofForge?: boolean;
}

/** Whose it is: nobody approves that. */
export interface Owners {
  readonly asker: string;
  /** Who wrote and who pushed it, as far as that is known. */
  readonly makers?: readonly string[];
}

/** Those that count, each person once, as they came. */
export function counted<W extends Word>(given: readonly W[], rule: ApprovalRule, owners: Owners): readonly W[] {
  const valid = given.filter(({ by }) => approverProblem(rule, by, owners) === undefined);
  return valid.filter(({ by }, at) => valid.findIndex((one) => isSamePerson(one.by, by)) === at);
}

/** How many are still to approve. */
export function missingOf(given: readonly Word[], rule: ApprovalRule, owners: Owners): number {
  return Math.max(0, rule.required - counted(given, rule, owners).length);
}

/** Why somebody's word would not count, as the rest of a sentence; undefined when it does. */
export function approverProblem(rule: ApprovalRule, by: string, { asker, makers = [] }: Owners): string | undefined {
  if (rule.by && !rule.by.some((one) => isSameName(one, by)))
    return `${by} is none of those who may approve it (${rule.by.join(", ")})`;
  if (!rule.by && PROGRAM.test(by)) return `${by} is a program's; a rule counts one that it names, and else people`;
  if (!rule.by && rule.ofForge && !NAMELESS.has(by) && !LOGIN.test(by))
    return `whether ${by} is one of those who made it is not known; a rule counts such a name where it has it in "by"`;
  if (rule.own) return undefined;
  const nobody = "nobody approves what is his own; somebody else must";
  if (isSamePerson(by, asker)) return `${by} asked for it, and ${nobody}`;
  return makers.some((one) => isSamePerson(by, one)) ? `${by} wrote or pushed it, and ${nobody}` : undefined;
}

export function isSamePerson(one: string, other: string): boolean {
  return isSameName(one, other) || (NAMELESS.has(one) && NAMELESS.has(other));
}

/** The instance's token and the printed link: whoever sits at the machine has both. */
const NAMELESS: ReadonlySet<string> = new Set(["api", "page"]);
/** As callers with a token of their own are called. */
const PROGRAM = /^token /;
/** Of the forge that the pull request is at. */
const LOGIN = /^@[^\s@]+$/;

/** Forges and mail know no case in names. */
function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
