import type { ServiceRow } from "../../external/matrix.ts";
import { connect } from "../context.ts";
import { colorsFor, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

/** Which services of others are used, and what each is in production, in previews and where people develop. */
export const services: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const matrix = await client.services();
  if (options.json) {
    printJson(context.stdout, matrix);
    return 0;
  }
  const colors = colorsFor(context.stdout, context.environment);
  if (matrix.services.length === 0) {
    printLine(context.stdout, 'no preview.yaml names a service of others; "external" is where they belong');
  } else printLine(context.stdout, table(matrix.services, COLUMNS, context));
  if (matrix.warnings.length > 0) printLine(context.stdout);
  for (const { message } of matrix.warnings) printLine(context.stdout, colors.yellow(plain(message)));
  return 0;
};

const COLUMNS = [
  { title: "REPOSITORY", value: ({ repository }: ServiceRow) => repository },
  { title: "SERVICE", value: ({ name }: ServiceRow) => name },
  { title: "PRODUCTION", value: ({ production }: ServiceRow) => production ?? "not said", shrinks: true },
  { title: "PREVIEW", value: ({ preview }: ServiceRow) => preview },
  { title: "DEVELOPMENT", value: ({ development }: ServiceRow) => development ?? "not said" },
  { title: "SECRETS", value: ({ secrets }: ServiceRow) => secrets.join(", ") },
  { title: "REVIEW", value: ({ review, overdue }: ServiceRow) => `${review ?? ""}${overdue ? " (overdue)" : ""}` },
];
