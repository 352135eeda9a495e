import { parseDuration } from "../../config/duration.ts";
import { minuteOf } from "../../reason-words.ts";
import { ROLES } from "../../roles.ts";
import type { TokenRow } from "../../tokens/token.ts";
import { WrongUse } from "../../wrong-use.ts";
import { connect } from "../context.ts";
import { textOption } from "../options.ts";
import { age, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const tokenCreate: RunVerb = async ({ options, context }) => {
  const [name, said] = [textOption(options.name), textOption(options.role)];
  const role = ROLES.find((one) => one === said);
  if (name === undefined) throw new WrongUse("making a token: say with --name what it is for, such as --name ci");
  if (!role) throw new WrongUse(`making the token "${name}": --role is one of ${ROLES.join(", ")}`);
  const time = textOption(options.expires);
  const seconds = time === undefined ? undefined : parseDuration(time);
  if (time !== undefined && seconds === undefined)
    throw new WrongUse(`making the token "${name}": "${time}" is no time such as 90d or 12h`);
  const repositories = textOption(options.repository)?.split(",").filter(Boolean);
  const client = await connect(options, context);
  const made = await client.createToken({
    name,
    role,
    ...(repositories ? { repositories } : {}),
    ...(seconds === undefined ? {} : { seconds }),
  });
  if (options.json) {
    printJson(context.stdout, made);
    return 0;
  }
  // By itself on stdout, so that it can be handed on.
  printLine(context.stdout, made.token);
  const until = made.expiresAt === undefined ? "until it is revoked" : `until ${minuteOf(made.expiresAt)}`;
  printLine(context.stderr, `it is shown this once, and holds ${until}`);
  return 0;
};

export const tokenLs: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const tokens = await client.tokens();
  if (options.json) {
    printJson(context.stdout, { tokens });
    return 0;
  }
  if (tokens.length === 0) {
    printLine(context.stdout, "there are no tokens beside the instance's own");
    return 0;
  }
  const now = new Date();
  const columns = [
    { title: "NAME", value: ({ name }: TokenRow) => name },
    { title: "ROLE", value: ({ role }: TokenRow) => role },
    { title: "REPOSITORIES", value: ({ repositories }: TokenRow) => repositories?.join(", ") ?? "all", shrinks: true },
    { title: "AGE", value: ({ createdAt }: TokenRow) => age(createdAt, now) },
    { title: "USED", value: ({ lastUsedAt }: TokenRow) => (lastUsedAt ? `${age(lastUsedAt, now)} ago` : "never") },
    { title: "ENDS", value: ({ expiresAt }: TokenRow) => endOf(expiresAt, now) },
    { title: "BY", value: ({ createdBy }: TokenRow) => createdBy, shrinks: true },
  ];
  printLine(context.stdout, table(tokens, columns, context));
  return 0;
};

export const tokenRevoke: RunVerb = async ({ args: [given = ""], options, context }) => {
  const client = await connect(options, context);
  const revoked = await client.revokeToken(given);
  if (options.json) printJson(context.stdout, revoked);
  else printLine(context.stdout, plain(`revoked ${revoked.name}`));
  return 0;
};

function endOf(expiresAt: string | undefined, now: Date): string {
  if (expiresAt === undefined) return "";
  return expiresAt <= now.toISOString() ? "is over" : minuteOf(expiresAt);
}
