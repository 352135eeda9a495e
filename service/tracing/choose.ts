/** Whether traces are made, as the usual variables say. Pure. */
import { ConfigError } from "../../components/errors.ts";

export type Exporter = (typeof EXPORTERS)[number];
const PROTOCOLS = ["http/protobuf", "http/json", "grpc"] as const;
const EXPORTERS = [...PROTOCOLS, "console"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Undefined: nobody asks for traces. Asked for they are by an exporter or by an endpoint; the specification's own
 * default, a collector on this machine, would be asked for by everybody. Throws `ConfigError` for a value that means nothing.
 */
export function chooseExporter(environment: Environment): Exporter | undefined {
  const of = (name: string) => environment[name]?.trim() || undefined;
  if (of("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return undefined;
  const endpoint = of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? of("OTEL_EXPORTER_OTLP_ENDPOINT");
  const exporter = of("OTEL_TRACES_EXPORTER") ?? (endpoint === undefined ? "none" : "otlp");
  if (exporter === "none") return undefined;
  if (exporter === "console") return "console";
  if (exporter !== "otlp") throw unknown("OTEL_TRACES_EXPORTER", exporter, ["otlp", "console", "none"]);
  const name = of("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
    ? "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    : "OTEL_EXPORTER_OTLP_PROTOCOL";
  const wanted = of(name) ?? "http/protobuf";
  const protocol = PROTOCOLS.find((one) => one === wanted);
  if (protocol === undefined) throw unknown(name, wanted, PROTOCOLS);
  return protocol;
}

function unknown(name: string, value: string, known: readonly string[]): ConfigError {
  const message = `"${value}" is not one of "${known.join('", "')}"`;
  return new ConfigError(name, [{ path: name, message }]);
}
