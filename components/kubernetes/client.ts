/** The way to a cluster's API: credentials by reference, a time limit on every request, errors in our words. */
import { readFile } from "node:fs/promises";
import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  DiscoveryV1Api,
  KubeConfig,
  KubernetesObjectApi,
  NetworkingV1Api,
  type RequestContext,
  type ResponseContext,
  ServerConfiguration,
  VersionApi,
} from "@kubernetes/client-node";
import { StacklingError, TerminalError } from "../errors.ts";
import type { KubernetesOptions } from "./options.ts";

export interface Cluster {
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly discovery: DiscoveryV1Api;
  readonly networking: NetworkingV1Api;
  /** Of kinds that this library has no types for. */
  readonly custom: CustomObjectsApi;
  readonly authorization: AuthorizationV1Api;
  readonly version: VersionApi;
  /** Objects of any kind. */
  readonly objects: KubernetesObjectApi;
}

type Access = Pick<KubernetesOptions, "kubeconfig" | "context">;

/** No answer for so long means that the cluster is away. */
const REQUEST_TIMEOUT_MS = 20_000;
/** Where a pod finds its own identity: docs, "Accessing the Kubernetes API from a Pod". */
const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Throws `TerminalError` (`TargetInvalid`) for credentials that are missing or cannot be read. Asks the cluster nothing. */
export async function connect(access: Access): Promise<Cluster> {
  const config = await loadConfig(access);
  const { server, skipTLSVerify } = config.getCurrentCluster() ?? {};
  if (server === undefined) {
    const what = access.context === undefined ? "its current context" : `its context "${access.context}"`;
    throw invalid(`connecting to the cluster: ${describe(access)} does not hold ${what} with a cluster`);
  }
  if (!server.startsWith("https:") && !skipTLSVerify) {
    throw invalid(`connecting to the cluster: ${describe(access)} names the server "${server}", which is not https`);
  }
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: config },
    promiseMiddleware: [{ pre: limited, post: async (response: ResponseContext) => response }],
  });
  return {
    config,
    core: new CoreV1Api(configuration),
    apps: new AppsV1Api(configuration),
    batch: new BatchV1Api(configuration),
    discovery: new DiscoveryV1Api(configuration),
    networking: new NetworkingV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
    authorization: new AuthorizationV1Api(configuration),
    version: new VersionApi(configuration),
    objects: new KubernetesObjectApi(configuration),
  };
}

/**
 * What a Pulumi provider is given: the path where there is one, so that the engine reads fresh
 * credentials each time and the state holds none; else the text itself, which is a secret.
 */
export function kubeconfigInput({ kubeconfig }: Access): { readonly text: string; readonly secret: boolean } {
  if (kubeconfig === "inCluster") return { text: IN_CLUSTER, secret: false };
  if ("file" in kubeconfig) return { text: kubeconfig.file, secret: false };
  return { text: fromEnvironment(kubeconfig.env), secret: true };
}

/** The answer, or undefined where there is no such thing. */
export async function found<T>(question: Promise<T>): Promise<T | undefined> {
  try {
    return await question;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

export function isStatus(error: unknown, code: number): boolean {
  return error instanceof ApiException && error.code === code;
}

/**
 * `TargetUnreachable` (may pass) when the cluster does not answer or cannot, `TargetForbidden`
 * (terminal) when it says no, and `KubernetesFailed` otherwise.
 */
export function clusterError(action: string, error: unknown): StacklingError {
  if (error instanceof StacklingError) return error;
  if (!(error instanceof ApiException)) {
    const network = networkWords(error);
    if (network === undefined) {
      const userMessage = `${action}: it failed in Stackling itself; the log of the service says why`;
      return new StacklingError({ reason: "KubernetesFailed", userMessage, cause: error });
    }
    const userMessage = `${action}: the cluster cannot be reached (${network})`;
    return new StacklingError({ reason: "TargetUnreachable", userMessage, cause: error });
  }
  const words = wordsOf(error);
  if (error.code === 401) {
    const userMessage = `${action}: the cluster does not know the credentials of the target (401)`;
    return new TerminalError({ reason: "TargetForbidden", userMessage, cause: error });
  }
  // The server's sentence names who, the verb and the resource.
  if (error.code === 403) {
    return new TerminalError({ reason: "TargetForbidden", userMessage: `${action}: ${words}`, cause: error });
  }
  const away = error.code === 429 || error.code >= 500;
  const reason = away ? "TargetUnreachable" : "KubernetesFailed";
  return new StacklingError({
    reason,
    userMessage: `${action}: the cluster answered ${error.code}: ${words}`,
    cause: error,
  });
}

/** Runs `work` on the cluster; whatever fails is told as the failure of `action`. */
export async function onCluster<T>(access: Access, action: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  try {
    return await work(await connect(access));
  } catch (error) {
    throw clusterError(action, error);
  }
}

async function loadConfig(access: Access): Promise<KubeConfig> {
  const config = new KubeConfig();
  const { kubeconfig, context } = access;
  try {
    if (kubeconfig === "inCluster") config.loadFromOptions(IN_CLUSTER_CLIENT);
    else if ("file" in kubeconfig) {
      await readFile(kubeconfig.file);
      // Paths in it are relative to it.
      config.loadFromFile(kubeconfig.file);
    } else config.loadFromString(fromEnvironment(kubeconfig.env));
  } catch (error) {
    if (error instanceof StacklingError) throw error;
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    throw invalid(`connecting to the cluster: ${describe(access)} cannot be read as a kubeconfig${code}`);
  }
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

async function limited(request: RequestContext): Promise<RequestContext> {
  request.setSignal(AbortSignal.timeout(REQUEST_TIMEOUT_MS));
  return request;
}

function fromEnvironment(name: string): string {
  const text = process.env[name]?.trim();
  if (text) return text;
  throw invalid(
    `connecting to the cluster: environment variable "${name}" that should hold the kubeconfig is missing or empty`,
  );
}

function describe({ kubeconfig }: Access): string {
  if (kubeconfig === "inCluster") return "the pod's service account";
  return "file" in kubeconfig ? `kubeconfig file "${kubeconfig.file}"` : `environment variable "${kubeconfig.env}"`;
}

function invalid(userMessage: string): TerminalError {
  return new TerminalError({ reason: "TargetInvalid", userMessage });
}

function wordsOf(error: ApiException<unknown>): string {
  const body: unknown = typeof error.body === "string" ? parse(error.body) : error.body;
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : undefined;
  return typeof message === "string" ? message : `HTTP ${error.code}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The innermost cause says what the outer ones only call a failed fetch; undefined for what is no network's fault. */
function networkWords(error: unknown): string | undefined {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (!(inner instanceof Error)) return undefined;
  if (inner.name === "TimeoutError") return `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`;
  if ("code" in inner && typeof inner.code === "string") return inner.code;
  return inner === error ? undefined : inner.message;
}

/** By the name that the API server's certificate bears in every cluster; the token is read anew from its file. */
const IN_CLUSTER = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      name: "cluster",
      cluster: { server: "https://kubernetes.default.svc", "certificate-authority": `${ACCOUNT}/ca.crt` },
    },
  ],
  users: [{ name: "account", user: { tokenFile: `${ACCOUNT}/token` } }],
  contexts: [{ name: "pod", context: { cluster: "cluster", user: "account" } }],
  "current-context": "pod",
});

/** The same for this library, which does not read a kubeconfig's `tokenFile`. */
const IN_CLUSTER_CLIENT = {
  clusters: [
    { name: "cluster", server: "https://kubernetes.default.svc", caFile: `${ACCOUNT}/ca.crt`, skipTLSVerify: false },
  ],
  users: [{ name: "account", authProvider: { name: "tokenFile", config: { tokenFile: `${ACCOUNT}/token` } } }],
  contexts: [{ name: "pod", cluster: "cluster", user: "account" }],
  currentContext: "pod",
};
