import type { OperatorConfig } from "./config/types.ts";

/**
 * Where a machine's own identity is asked for, by targets that choose it (`inCluster`, `instance`) and
 * by the backend: places and names, no credentials.
 */
const IDENTITY = [
  "KUBERNETES_SERVICE_HOST",
  "KUBERNETES_SERVICE_PORT",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_REGION",
];

/**
 * What engines and the drivers beside them get of the service's own environment, which they are
 * otherwise kept from: where the machine's identity is, the variables that `engineEnvironment` lists (a
 * backend's credentials), and those that options of targets refer to by `{env: NAME}`. One that is not
 * set is left out; who needs it says so.
 */
export function engineEnvironment(
  { engineEnvironment: listed = [], targets }: Pick<OperatorConfig, "engineEnvironment" | "targets">,
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const names = new Set([...IDENTITY, ...listed, ...targets.flatMap((target) => referred(target))]);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function referred(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === "env" && typeof first[1] === "string") return [first[1]];
  return entries.flatMap(([, part]) => referred(part));
}
