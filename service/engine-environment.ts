import { type Credential, credential, handedVariables } from "../components/credential.ts";
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
 * backend's credentials), those that options of targets refer to by `{env: NAME}`, and for each
 * `{file: PATH}` a variable that `withFileContents` fills for each run. One that is not set is left out;
 * who needs it says so.
 */
export function engineEnvironment(
  { engineEnvironment: listed = [], targets }: Pick<OperatorConfig, "engineEnvironment" | "targets">,
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const references = targets.flatMap((target) => referred(target));
  const names = new Set([...IDENTITY, ...listed, ...references.flatMap((one) => ("env" in one ? [one.env] : []))]);
  const set = [...names].flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(set), ...handedVariables(references, environment) };
}

function referred(value: unknown): readonly (Credential & { readonly asFile?: boolean })[] {
  if (typeof value !== "object" || value === null) return [];
  const { data } = credential.safeParse(value);
  if (data) return [data];
  // What a gateway's requests bear is no engine's.
  const parts = Object.entries(value).filter(([key]) => key !== "reach");
  return parts.flatMap(([key, part]) =>
    referred(part).map((one) => (key === "kubeconfig" ? { ...one, asFile: true } : one)),
  );
}
