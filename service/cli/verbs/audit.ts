import type { AuditEntry } from "../../audit.ts";
import { connect } from "../context.ts";
import { countOption, textOption } from "../options.ts";
import { age, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const audit: RunVerb = async ({ options, context }) => {
  const [key, actor, action] = [textOption(options.key), textOption(options.actor), textOption(options.action)];
  const limit = countOption("limit", options.limit);
  const client = await connect(options, context);
  const entries = await client.audit({
    limit,
    ...(key === undefined ? {} : { key }),
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
  });
  if (options.json) {
    for (const entry of entries) printJson(context.stdout, entry);
    return 0;
  }
  if (entries.length === 0) {
    printLine(context.stdout, "nothing is written down that fits");
    return 0;
  }
  const now = new Date();
  const columns = [
    { title: "AGE", value: ({ at }: AuditEntry) => age(at, now) },
    { title: "WHO", value: ({ actor: who }: AuditEntry) => who },
    { title: "WHAT", value: ({ action: what }: AuditEntry) => what },
    { title: "KEY", value: (entry: AuditEntry) => entry.key ?? "" },
    { title: "OUTCOME", value: ({ outcome }: AuditEntry) => outcome },
    { title: "VIA", value: ({ via, address }: AuditEntry) => (address ? `${via} ${address}` : via) },
    { title: "DETAIL", value: ({ detail }: AuditEntry) => detail ?? "", shrinks: true },
  ];
  printLine(context.stdout, table(entries, columns, context));
  return 0;
};
