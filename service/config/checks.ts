/** `smoke`, `gates` and `onFailure` of preview.yaml: what they mean, and what a schema cannot say of them. */
import type { ChecksSpec, Gate, GateOf, SmokeTest } from "../../infra/checks.ts";
import { unknownPlaceholder, unquotedPlaceholder } from "../gates/query.ts";
import type { ApplicationConfig } from "./application-types.ts";
import {
  type ChecksFile,
  COMMAND_SECONDS,
  type GateFile,
  type RequestFile,
  type SmokeFile,
  statusesOf,
  TRY_SECONDS,
  WITHIN_SECONDS,
} from "./checks-schema.ts";
import { defaultChecks } from "./defaults.ts";
import { parseDuration } from "./duration.ts";
import type { Misfit } from "./yaml-file.ts";

/** Undefined where there is nothing to be checked. */
export function toChecks({ smoke: tests = [], gates = [], onFailure }: ChecksFile): ChecksSpec | undefined {
  if (tests.length === 0 && gates.length === 0) return undefined;
  return { smoke: tests.map(toSmokeTest), gates: gates.flatMap(toGate), onFailure: onFailure ?? "rollback" };
}

/** What they name must be there. */
export function checkChecks(
  { checks, services }: Pick<ApplicationConfig, "checks" | "services">,
  { checks: most = defaultChecks.most }: { readonly checks?: number },
): readonly Misfit[] {
  if (!checks) return [];
  const count = checks.smoke.length + checks.gates.length;
  const many: Misfit[] =
    count > most
      ? [
          {
            path: [checks.smoke.length > 0 ? "smoke" : "gates"],
            message: `${count} smoke tests and gates; the operator allows ${most}`,
          },
        ]
      : [];
  const web = services.filter(({ kind }) => kind === "web").map(({ name }) => name);
  const entries = [
    ...checks.smoke.map((one, index) => ({ one, path: ["smoke", index] })),
    ...checks.gates.map((one, index) => ({ one, path: ["gates", index] })),
  ];
  const misfits = entries.flatMap(({ one, path: at }): Misfit[] => {
    const misfits: Misfit[] = [];
    const asked = "service" in one ? one.service : undefined;
    const asks = "path" in one;
    if (asked !== undefined && !web.includes(asked)) {
      const known = web.length > 0 ? `one of "${web.join('", "')}"` : "there is none";
      misfits.push({
        path: at,
        message: `check "${one.name}" asks service "${asked}", which must be a web service: ${known}`,
      });
    } else if (asks && web.length === 0) {
      misfits.push({ path: at, message: `check "${one.name}" asks a web service, and there is none` });
    }
    if ("send" in one && one.method !== "POST") {
      misfits.push({ path: at, message: `check "${one.name}" sends a body; that goes with "method: POST" only` });
    }
    if ("directory" in one && (one.directory.startsWith("/") || one.directory.split("/").includes(".."))) {
      misfits.push({
        path: at,
        message: `check "${one.name}": directory "${one.directory}" must lie inside the repository`,
      });
    }
    if ("query" in one) misfits.push(...queryFaults(one).map((message) => ({ path: at, message })));
    return misfits;
  });
  return [...many, ...misfits];
}

function queryFaults({ name: said, query }: GateOf<"errorRate">): string[] {
  const unknown = unknownPlaceholder(query);
  const unquoted = unquotedPlaceholder(query);
  const known = "${preview.key}, ${preview.stack}, ${preview.host}, ${preview.commit} and ${window}";
  return [
    ...(unknown === undefined ? [] : [`gate "${said}": "${unknown}" in its query means nothing; known: ${known}`]),
    ...(unquoted === undefined ? [] : [`gate "${said}": "${unquoted}" in its query must stand in "…" or '…'`]),
  ];
}

function toSmokeTest(typed: SmokeFile): SmokeTest {
  const { name: said, required: must, ...asked } = typeof typed === "string" ? ({ path: typed } as RequestFile) : typed;
  return { ...toRequest(asked), name: said ?? requestName(asked), required: must ?? true };
}

function requestName({ method, path: asked, service: whose }: RequestFile): string {
  return `${method ?? "GET"} ${asked}${whose === undefined ? "" : ` of ${whose}`}`.slice(0, 80);
}

function toRequest(typed: RequestFile): Omit<SmokeTest, "name" | "required"> {
  const { service: whose, path: asked, method, send, status: wanted, json, contains, headers, within, timeout } = typed;
  return {
    ...(whose === undefined ? {} : { service: whose }),
    path: asked,
    method: method ?? "GET",
    ...(send === undefined ? {} : { send }),
    status: (wanted === undefined ? undefined : statusesOf(wanted)) ?? [[200, 399]],
    ...(json ? { json } : {}),
    ...(contains === undefined ? {} : { contains }),
    ...(headers
      ? { headers: Object.fromEntries(Object.entries(headers).map(([key, text]) => [key.toLowerCase(), text])) }
      : {}),
    withinSeconds: parseDuration(within ?? "") ?? WITHIN_SECONDS.usual,
    timeoutSeconds: parseDuration(timeout ?? "") ?? TRY_SECONDS.usual,
  };
}

function toGate({ name: said, required: must, ...typed }: GateFile): Gate[] {
  const named = (usual: string) => ({ name: said ?? usual.slice(0, 80), required: must ?? true });
  const { command, http, errorRate, pageSpeed } = typed;
  if (command !== undefined) {
    const { directory = ".", timeout } = typed;
    const timeoutSeconds = parseDuration(timeout ?? "") ?? COMMAND_SECONDS.usual;
    return [{ ...named(command), kind: "command", command, directory, timeoutSeconds }];
  }
  if (http !== undefined) {
    const asked: RequestFile = typeof http === "string" ? { path: http } : http;
    return [{ ...named(requestName(asked)), kind: "http", ...toRequest(asked) }];
  }
  if (errorRate) {
    const { from, query, below, window, after, noData } = errorRate;
    return [
      {
        ...named("Error rate"),
        kind: "errorRate",
        ...(from === undefined ? {} : { from }),
        query,
        below: shareOf(below ?? 0.01),
        window: window ?? "5m",
        afterSeconds: parseDuration(after ?? "") ?? 0,
        noData: noData ?? "pass",
      },
    ];
  }
  if (!pageSpeed) return [];
  const { path: asked = "/", ...budgets } = pageSpeed;
  return [{ ...named(`Page speed of ${asked}`), kind: "pageSpeed", path: asked, ...defined(budgets) }];
}

function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function shareOf(typed: number | string): number {
  return typeof typed === "number" ? typed : Number.parseFloat(typed) / 100;
}
