/** Neon's API on loopback as far as it is used; every answer is of the type that the official client declares for it. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type {
  AnonymizedBranchStatusResponse,
  Branch,
  BranchAnonymizedCreateRequest,
  BranchesCountResponse,
  BranchesResponse,
  BranchResponse,
  BranchUpdateRequest,
  ConsumptionHistoryPerBranchV2,
  ConsumptionHistoryPerBranchV2Response,
  CursorPaginationResponse,
  Database,
  DatabasesResponse,
  Endpoint,
  EndpointsResponse,
  EndpointUpdateRequest,
  GeneralError,
  MaskingRule,
  PaginationResponse,
  RolePasswordResponse,
} from "@neondatabase/api-client";

export interface NeonServer {
  readonly url: string;
  readonly branches: Branch[];
  readonly endpoints: Endpoint[];
  readonly databases: Database[];
  /** By `branch/role`. */
  readonly passwords: Map<string, string>;
  /** `METHOD /path` below the project, in order. */
  readonly calls: string[];
  /** The next calls are answered with these, one each. */
  readonly failures: { readonly status: number; readonly code?: string; readonly message?: string }[];
  /** Rules of each branch that was made masked, by its id. */
  readonly masks: Map<string, readonly MaskingRule[]>;
  /** What a masked branch goes through before it is masked, one look each. */
  readonly stages: string[];
  /** What branches used, also of those that are gone. */
  readonly usage: ConsumptionHistoryPerBranchV2[];
  /** Of the project's owner. */
  limit: number;
  close(): Promise<void>;
}

export const NEON_KEY = "napi_secret_of_the_test";
export const NEON_ORGANIZATION = "org-cool-darkness-12345678";
export const NEON_PROJECT = "spring-example-302709";
const AT = "2026-11-21T10:00:00Z";

export async function startNeonServer(): Promise<NeonServer> {
  const server = createServer((request, response) => {
    answer(state, request).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json", ...(status === 429 && { "retry-after": "0" }) });
      response.end(JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const state: NeonServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2`,
    branches: [],
    endpoints: [],
    databases: [],
    passwords: new Map(),
    calls: [],
    failures: [],
    masks: new Map(),
    stages: [],
    usage: [],
    limit: 10,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return state;
}

/** As in the client's own example of a branch. */
export function aBranch(branch: Pick<Branch, "id" | "name"> & Partial<Branch>): Branch {
  return {
    project_id: NEON_PROJECT,
    current_state: "ready",
    state_changed_at: AT,
    creation_source: "console",
    default: false,
    protected: false,
    cpu_used_sec: 0,
    compute_time_seconds: 0,
    active_time_seconds: 0,
    written_data_bytes: 0,
    data_transfer_bytes: 0,
    created_at: AT,
    updated_at: AT,
    ...branch,
  };
}

/** As in the client's own example of a compute endpoint. */
export function anEndpoint(
  endpoint: Pick<Endpoint, "id" | "branch_id"> & { current_state: "active" | "idle" },
): Endpoint {
  const host = `${endpoint.id}.us-east-2.aws.neon.tech`;
  const settled: Omit<Endpoint, "current_state" | "type" | "pooler_mode"> = {
    ...endpoint,
    host,
    proxy_host: "us-east-2.aws.neon.tech",
    project_id: NEON_PROJECT,
    autoscaling_limit_min_cu: 0.25,
    autoscaling_limit_max_cu: 1,
    region_id: "aws-us-east-2",
    settings: {},
    pooler_enabled: false,
    disabled: false,
    passwordless_access: true,
    creation_source: "console",
    created_at: AT,
    updated_at: AT,
    suspend_timeout_seconds: 300,
    provisioner: "k8s-neonvm",
  };
  // The client declares enums, whose values are these texts on the wire.
  return {
    ...settled,
    type: "read_write",
    pooler_mode: "transaction",
    current_state: endpoint.current_state,
  } as Endpoint;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(state: NeonServer, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
  const path = pathname.replace(`/api/v2/projects/${NEON_PROJECT}`, "");
  const call = `${request.method} ${path}`;
  state.calls.push(call);
  const body = await text(request);
  const planned = state.failures.shift();
  if (planned) return failed(planned.status, planned.message ?? "no", planned.code);
  if (request.headers.authorization !== `Bearer ${NEON_KEY}`) {
    return failed(401, `supplied credentials do not pass authentication: ${request.headers.authorization}`);
  }
  for (const [pattern, handle] of routes) {
    const match = pattern.exec(call);
    const [, id = "", part = ""] = match ?? [];
    const found = match && handle({ state, id: decodeURIComponent(id), part, query: searchParams, body });
    if (found) return { status: 200, body: found };
  }
  return failed(404, "not found");
}

interface Call {
  readonly state: NeonServer;
  readonly id: string;
  readonly part: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** Each answers with its body; undefined is 404. */
const routes: readonly (readonly [RegExp, (call: Call) => object | undefined])[] = [
  [
    /^GET $/,
    ({ state }) => ({ project: { id: NEON_PROJECT, name: "previews", owner: { branches_limit: state.limit } } }),
  ],
  [/^GET \/branches$/, ({ state, query }) => page(state.branches, query)],
  [/^GET \/branches\/count$/, ({ state }) => ({ count: state.branches.length }) satisfies BranchesCountResponse],
  [/^GET \/branches\/([^/]+)$/, ({ state, id }) => branchOf(state, id)],
  [/^PATCH \/branches\/([^/]+)$/, ({ state, id, body }) => change(state, id, JSON.parse(body))],
  [/^DELETE \/branches\/([^/]+)$/, ({ state, id }) => removed(state.branches, (branch) => branch.id === id)],
  [
    /^GET \/branches\/([^/]+)\/endpoints$/,
    ({ state, id }) =>
      ({ endpoints: state.endpoints.filter((endpoint) => endpoint.branch_id === id) }) satisfies EndpointsResponse,
  ],
  [/^POST \/branch_anonymized$/, ({ state, body }) => createMasked(state, JSON.parse(body))],
  [
    /^GET \/branches\/([^/]+)\/anonymized_status$/,
    ({ state, id }) => {
      if (!state.masks.has(id)) return undefined;
      const answer: AnonymizedBranchStatusResponse = {
        project_id: NEON_PROJECT,
        branch_id: id,
        state: state.stages.shift() ?? "anonymized",
        status_message: "table shop.public.users (1/1)",
        created_at: AT,
        updated_at: AT,
      };
      return answer;
    },
  ],
  [/^GET \/api\/v2\/consumption_history\/v2\/branches$/, ({ state, query }) => usagePage(state, query)],
  [/^PATCH \/endpoints\/([^/]+)$/, ({ state, id, body }) => resize(state, id, JSON.parse(body))],
  [/^DELETE \/endpoints\/([^/]+)$/, ({ state, id }) => removed(state.endpoints, (endpoint) => endpoint.id === id)],
  [/^POST \/endpoints\/([^/]+)\/(start|suspend)$/, ({ state, id, part }) => run(state, id, part)],
  [
    /^GET \/branches\/([^/]+)\/databases$/,
    ({ state, id }) =>
      ({ databases: state.databases.filter((database) => database.branch_id === id) }) satisfies DatabasesResponse,
  ],
  [
    /^DELETE \/branches\/([^/]+)\/databases\/([^/]+)$/,
    ({ state, id, part }) => removed(state.databases, ({ branch_id, name }) => branch_id === id && name === part),
  ],
  [
    /^DELETE \/branches\/([^/]+)\/roles\/([^/]+)$/,
    ({ state, id, part }) => (state.passwords.delete(`${id}/${part}`) ? {} : undefined),
  ],
  [
    /^GET \/branches\/([^/]+)\/roles\/([^/]+)\/reveal_password$/,
    ({ state, id, part }) => {
      const password = state.passwords.get(`${id}/${part}`);
      return password === undefined ? undefined : ({ password } satisfies RolePasswordResponse);
    },
  ],
  [
    /^POST \/branches\/([^/]+)\/roles\/([^/]+)\/reset_password$/,
    ({ state, id, part }) => {
      const password = `new word of ${id}`;
      state.passwords.set(`${id}/${part}`, password);
      return { role: { branch_id: id, name: part, password, created_at: AT, updated_at: AT }, operations: [] };
    },
  ],
];

/** `search` is a part of the name; two a page, so that few branches show whether all pages are read. */
function page(all: readonly Branch[], query: URLSearchParams): BranchesResponse & CursorPaginationResponse {
  const found = all.filter(({ name }) => name.includes(query.get("search") ?? ""));
  const from = Number(query.get("cursor") ?? 0);
  const next = from + 2;
  return { branches: found.slice(from, next), ...(next < found.length && { pagination: { next: String(next) } }) };
}

/** Two a page; 404 for another organization or project. */
function usagePage(
  { usage }: NeonServer,
  query: URLSearchParams,
): (ConsumptionHistoryPerBranchV2Response & PaginationResponse) | undefined {
  const isOurs = query.get("org_id") === NEON_ORGANIZATION && query.getAll("project_ids").includes(NEON_PROJECT);
  if (!isOurs || query.get("granularity") !== "daily") return undefined;
  const [from, to] = [query.get("from") ?? "", query.get("to") ?? ""];
  const within = (start = "") => start >= from && start < to;
  const found = usage.map(({ periods, ...branch }) => ({
    ...branch,
    periods: periods.map(({ consumption, ...period }) => ({
      ...period,
      consumption: consumption.filter(({ timeframe_start: start }) => within(start)),
    })),
  }));
  const at = Number(query.get("cursor") ?? 0);
  const next = at + 2;
  return {
    branches: found.slice(at, next),
    ...(next < found.length && { pagination: { cursor: String(next) } }),
  };
}

function branchOf({ branches }: NeonServer, id: string): BranchResponse | undefined {
  const branch = branches.find((one) => one.id === id);
  return branch && { branch };
}

function change(state: NeonServer, id: string, { branch: wish }: BranchUpdateRequest): BranchResponse | undefined {
  const index = state.branches.findIndex((branch) => branch.id === id);
  const branch = state.branches[index];
  if (!branch) return undefined;
  const { expires_at = branch.expires_at } = wish;
  const changed = { ...branch, ...(expires_at && { expires_at }) };
  state.branches[index] = changed;
  return { branch: changed };
}

/** As when made the plain way, but that its passwords are its parent's and its compute is there. */
function createMasked(state: NeonServer, wish: BranchAnonymizedCreateRequest): object {
  const { name = "", parent_id = "" } = wish.branch_create?.branch ?? {};
  const branch = aBranch({
    id: `br-masked-${state.calls.length}`,
    name,
    parent_id,
    created_at: new Date().toISOString(),
  });
  state.branches.push(branch);
  state.masks.set(branch.id, wish.start_anonymization ? (wish.masking_rules ?? []) : []);
  for (const [key, password] of [...state.passwords]) {
    const [owner, role] = key.split("/");
    if (owner === parent_id) state.passwords.set(`${branch.id}/${role}`, password);
  }
  for (const { type, ...limits } of wish.branch_create?.endpoints ?? []) {
    const endpoint = anEndpoint({ id: `ep-of-${branch.id}`, branch_id: branch.id, current_state: "active" });
    state.endpoints.push({ ...endpoint, ...limits, type });
  }
  return { branch, endpoints: state.endpoints.filter(({ branch_id }) => branch_id === branch.id), operations: [] };
}

function resize({ endpoints }: NeonServer, id: string, { endpoint: wish }: EndpointUpdateRequest): object | undefined {
  const index = endpoints.findIndex((endpoint) => endpoint.id === id);
  const endpoint = endpoints[index];
  if (!endpoint) return undefined;
  const { autoscaling_limit_max_cu = endpoint.autoscaling_limit_max_cu } = wish;
  const { suspend_timeout_seconds = endpoint.suspend_timeout_seconds } = wish;
  endpoints[index] = { ...endpoint, autoscaling_limit_max_cu, suspend_timeout_seconds };
  return { endpoint: endpoints[index], operations: [] };
}

function run({ endpoints }: NeonServer, id: string, part: string): object | undefined {
  const index = endpoints.findIndex((endpoint) => endpoint.id === id);
  const endpoint = endpoints[index];
  if (!endpoint) return undefined;
  const changed = anEndpoint({
    id,
    branch_id: endpoint.branch_id,
    current_state: part === "start" ? "active" : "idle",
  });
  endpoints[index] = changed;
  return { endpoint: changed, operations: [] };
}

function removed<T>(all: T[], is: (one: T) => boolean): object | undefined {
  const index = all.findIndex(is);
  if (index < 0) return undefined;
  all.splice(index, 1);
  return { operations: [] };
}

function failed(status: number, message: string, code = ""): Answer {
  return { status, body: { request_id: "1", code, message } satisfies GeneralError };
}
