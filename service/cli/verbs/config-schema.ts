import { applicationJsonSchema, operatorJsonSchema } from "../../config/json-schema.ts";
import { WrongUse } from "../../wrong-use.ts";
import { printLine } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const configSchema: RunVerb = async ({ args: [which = "preview"], context }) => {
  if (which !== "preview" && which !== "stackling") {
    throw new WrongUse(`printing a schema: "${which}" is neither preview nor stackling`);
  }
  const schema = which === "preview" ? applicationJsonSchema() : await operatorJsonSchema();
  printLine(context.stdout, JSON.stringify(schema, undefined, 2));
  return 0;
};
