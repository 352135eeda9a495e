/** What `doctor` says of the Prometheus servers that gates may ask. */
import { StacklingError } from "../../components/errors.ts";
import type { Finding } from "../../components/ports.ts";
import type { OperatorConfig } from "../config/types.ts";
import { resolveSecret } from "../secret-reference.ts";
import { queryShare } from "./prometheus.ts";

/** Answers on every server that answers at all. */
const QUERY = "vector(0)";

/** One for each server; never rejects. */
export function prometheusFindings(
  { prometheus = {} }: Pick<OperatorConfig, "prometheus">,
  resolve: typeof resolveSecret = resolveSecret,
): Promise<readonly Finding[]> {
  const asked = Object.entries(prometheus).map(async ([name, server]): Promise<Finding> => {
    try {
      await queryShare(server, QUERY, { signal: new AbortController().signal, resolve });
      return { ok: true, what: `Prometheus "${name}" answers` };
    } catch (error) {
      const said = error instanceof StacklingError ? error.userMessage : error instanceof Error ? error.message : "";
      const remedy = `correct \`prometheus.${name}\` in stackling.yaml: its address, or where its token lies`;
      return { ok: false, what: `Prometheus "${name}" at ${new URL(server.url).host}: ${said}`, remedy };
    }
  });
  return Promise.all(asked);
}
