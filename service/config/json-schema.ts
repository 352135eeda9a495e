/** JSON Schemas of the two config files, for editors; made from the schemas that check them. */
import { z } from "zod";
import { registry } from "../../components/registry.ts";
import { forges } from "../forges/registry.ts";
import { applicationSchema } from "./application-schema.ts";
import { operatorSchema } from "./operator-schema.ts";
import type { DriverOptions } from "./targets.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

export function applicationJsonSchema(): JsonSchema {
  return { title: "preview.yaml: how an application runs in a preview", ...toJson(applicationSchema) };
}

/** With the options of every driver and forge, which are loaded for it. */
export async function operatorJsonSchema(): Promise<JsonSchema> {
  const drivers: DriverOptions = registry;
  const ports = await Promise.all(
    Object.entries(drivers).map(async ([port, byName]) => [port, await choicesOf("driver", byName)] as const),
  );
  const connections = await choicesOf("kind", forges);
  return {
    title: "stackling.yaml: how a team's previews are made",
    ...toJson(operatorSchema),
    $defs: { ...Object.fromEntries(ports.map(([port, choices]) => [`${port}Driver`, choices])), forge: connections },
  };
}

async function choicesOf(
  key: string,
  byName: Readonly<Record<string, () => Promise<{ readonly options: z.ZodType<unknown> }>>>,
): Promise<JsonSchema> {
  const choices = await Promise.all(
    Object.entries(byName).map(async ([name, load]) => {
      const options = toJson((await load()).options);
      const properties = { [key]: { const: name }, ...(options.properties as JsonSchema | undefined) };
      return { ...options, properties };
    }),
  );
  return { anyOf: choices };
}

function toJson(schema: z.ZodType<unknown>): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}
