/**
 * PlanetScale's API as far as previews need it, on loopback. Shapes and paths as in its own Go client
 * (planetscale-go: branches.go, passwords.go, deploy_requests.go), pages as in its API reference.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface PlanetscaleBranch {
  id: string;
  name: string;
  parent_branch: string;
  ready: boolean;
  production: boolean;
  created_at: string;
  seeded: boolean;
  safe_migrations?: boolean;
}

export interface PlanetscalePassword {
  id: string;
  branch: string;
  name: string;
  role: string;
  username: string;
  ttl_seconds: number;
  expires_at: string;
}

export interface DeployRequest {
  number: number;
  branch: string;
  into_branch: string;
  state: string;
  deployment_state: string;
  html_url: string;
}

export interface Failure {
  readonly status: number;
  readonly on?: string;
  readonly message?: string;
  readonly after?: true;
}

export interface PlanetscaleServer {
  readonly url: string;
  readonly branches: PlanetscaleBranch[];
  readonly passwords: PlanetscalePassword[];
  readonly deployRequests: DeployRequest[];
  /** Branches whose schema differs from their parent's. */
  readonly changed: Set<string>;
  /** `METHOD /path` below the database, in order. */
  readonly calls: string[];
  /** Each answers the next call, of those that it is `on`; `after` what was asked was done, as a lost answer. */
  readonly failures: Failure[];
  /** How often a new branch is asked for before it is ready. */
  slowness: number;
  close(): Promise<void>;
}

export const PLANETSCALE_ID = "tok123";
export const PLANETSCALE_TOKEN = "pscale_tkn_secret_of_the_test";
/** By which references the server is asked. */
export const PLANETSCALE_ACCOUNT = {
  organization: "acme",
  database: "shop",
  serviceTokenId: { env: "STACKLING_TEST_PLANETSCALE_ID" },
  serviceToken: { env: "STACKLING_TEST_PLANETSCALE" },
};
const DAY_MS = 86_400_000;

export async function startPlanetscaleServer(): Promise<PlanetscaleServer> {
  process.env.STACKLING_TEST_PLANETSCALE_ID = PLANETSCALE_ID;
  process.env.STACKLING_TEST_PLANETSCALE = PLANETSCALE_TOKEN;
  const server = createServer((request, response) => {
    answer(state, request).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json", ...(status === 429 && { "retry-after": "0" }) });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const state: PlanetscaleServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    branches: [aBranch({ name: "main", production: true })],
    passwords: [],
    deployRequests: [],
    changed: new Set(),
    calls: [],
    failures: [],
    slowness: 0,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return state;
}

let made = 0;

export function aBranch(branch: Pick<PlanetscaleBranch, "name"> & Partial<PlanetscaleBranch>): PlanetscaleBranch {
  made += 1;
  return {
    id: `br${made}`,
    parent_branch: "main",
    ready: true,
    production: false,
    created_at: new Date().toISOString(),
    seeded: false,
    ...branch,
  };
}

export function aPassword(branch: string, password: Partial<PlanetscalePassword> = {}): PlanetscalePassword {
  made += 1;
  return {
    id: `pw${made}`,
    branch,
    name: "stackling-admin-0",
    role: "admin",
    username: `user${made}`,
    ttl_seconds: DAY_MS / 1_000,
    expires_at: new Date(Date.now() + DAY_MS).toISOString(),
    ...password,
  };
}

interface Answer {
  readonly status: number;
  readonly body?: object;
}

async function answer(state: PlanetscaleServer, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams: query } = new URL(request.url ?? "", "http://localhost");
  const call = `${request.method} ${pathname.replace("/v1/organizations/acme/databases/shop", "")}`;
  state.calls.push(call);
  const sent = await text(request);
  if (request.headers.authorization !== `${PLANETSCALE_ID}:${PLANETSCALE_TOKEN}`) {
    return failed(401, `unknown service token ${request.headers.authorization}`, "unauthorized");
  }
  const at = state.failures.findIndex(({ on = call }) => on === call);
  const planned = at < 0 ? undefined : state.failures.splice(at, 1)[0];
  if (planned && !planned.after) return failed(planned.status, planned.message ?? "no");
  for (const [pattern, handle] of routes) {
    const [whole, one = "", two = ""] = pattern.exec(call) ?? [];
    if (whole === undefined) continue;
    const body: unknown = sent === "" ? {} : JSON.parse(sent);
    const found = handle({ state, query, sent: body as Record<string, unknown> }, one, two);
    return planned ? failed(planned.status, "no") : found;
  }
  return failed(404, "Not Found", "not_found");
}

interface Call {
  readonly state: PlanetscaleServer;
  readonly query: URLSearchParams;
  readonly sent: Record<string, unknown>;
}

const GONE = failed(404, "Not Found", "not_found");

const routes: readonly (readonly [RegExp, (call: Call, one: string, two: string) => Answer])[] = [
  [/^GET $/, () => ok({ id: "db1", name: "shop", kind: "mysql", state: "ready" })],
  [/^GET \/branches$/, ({ state, query }) => page(state.branches.map(shown), query)],
  [/^POST \/branches$/, (call) => createBranch(call)],
  [/^GET \/branches\/([^/]+)$/, ({ state }, name) => getBranch(state, name)],
  [/^DELETE \/branches\/([^/]+)$/, ({ state }, name) => deleteBranch(state, name)],
  [
    /^GET \/branches\/([^/]+)\/diff$/,
    ({ state }, name) => ok({ data: state.changed.has(name) ? [{ name: "orders", html: "", raw: "+ note" }] : [] }),
  ],
  [
    /^GET \/branches\/([^/]+)\/passwords$/,
    ({ state, query }, branch) =>
      page(
        state.passwords.filter((password) => password.branch === branch).map((one) => told(one)),
        query,
      ),
  ],
  [/^POST \/branches\/([^/]+)\/passwords$/, (call, branch) => createPassword(call, branch)],
  [
    /^GET \/branches\/([^/]+)\/passwords\/([^/]+)$/,
    ({ state }, _branch, id) => {
      const found = state.passwords.find((one) => one.id === id);
      return found ? ok(told(found)) : GONE;
    },
  ],
  [
    /^DELETE \/branches\/([^/]+)\/passwords\/([^/]+)$/,
    ({ state }, _, id) => removed(state.passwords, (p) => p.id === id),
  ],
  [
    /^POST \/branches\/([^/]+)\/passwords\/([^/]+)\/renew$/,
    ({ state }, _branch, id) => {
      const found = state.passwords.find((one) => one.id === id);
      if (!found) return GONE;
      found.expires_at = new Date(Date.now() + DAY_MS).toISOString();
      return ok(told(found));
    },
  ],
  [
    /^GET \/deploy-requests$/,
    ({ state, query }) =>
      page(
        state.deployRequests.filter(
          ({ branch, state: at }) => (query.get("branch") ?? branch) === branch && (query.get("state") ?? at) === at,
        ),
        query,
      ),
  ],
  [/^POST \/deploy-requests$/, (call) => createDeployRequest(call)],
  [
    /^PATCH \/deploy-requests\/(\d+)$/,
    ({ state, sent }, number) => {
      const found = state.deployRequests.find((one) => one.number === Number(number));
      if (!found) return GONE;
      found.state = String(sent.state);
      return ok(found);
    },
  ],
];

function getBranch(state: PlanetscaleServer, name: string): Answer {
  const found = state.branches.find((branch) => branch.name === decodeURIComponent(name));
  if (!found) return GONE;
  if (!found.ready) {
    state.slowness -= 1;
    found.ready = state.slowness <= 0;
  }
  return ok(shown(found));
}

function createBranch({ state, sent }: Call): Answer {
  const name = String(sent.name);
  if (state.branches.some((branch) => branch.name === name)) return failed(422, "Name has already been taken");
  const branch = aBranch({
    name,
    parent_branch: String(sent.parent_branch),
    ready: state.slowness <= 0,
    seeded: sent.seed_data === "last_successful_backup",
  });
  state.branches.push(branch);
  return ok(shown(branch), 201);
}

function deleteBranch(state: PlanetscaleServer, name: string): Answer {
  for (const password of state.passwords.filter(({ branch }) => branch === name)) {
    state.passwords.splice(state.passwords.indexOf(password), 1);
  }
  return removed(state.branches, (branch) => branch.name === name);
}

function createPassword({ state, sent }: Call, branch: string): Answer {
  const ttl = Number(sent.ttl);
  const password = aPassword(branch, {
    name: String(sent.name),
    role: String(sent.role),
    ttl_seconds: ttl,
    expires_at: new Date(Date.now() + ttl * 1_000).toISOString(),
  });
  state.passwords.push(password);
  return ok(told(password, `pscale_pw_${password.id}/+`), 201);
}

function createDeployRequest({ state, sent }: Call): Answer {
  const number = state.deployRequests.length + 1;
  const request = {
    number,
    branch: String(sent.branch),
    into_branch: String(sent.into_branch),
    state: "open",
    deployment_state: "pending",
    html_url: `https://app.planetscale.com/acme/shop/deploy-requests/${number}`,
  };
  state.deployRequests.push(request);
  return ok(request, 201);
}

function shown({ seeded: _, ...branch }: PlanetscaleBranch): object {
  return { safe_migrations: branch.production, ...branch, updated_at: branch.created_at, html_url: "" };
}

/** The word is told once, by the answer that makes it. */
function told({ branch, ...password }: PlanetscalePassword, word?: string): object {
  return {
    ...password,
    access_host_url: "aws.connect.psdb.cloud",
    renewable: true,
    database_branch: { name: branch },
    plain_text: word ?? null,
  };
}

/** Two a page, so that few entries show whether all pages are read. */
function page(all: readonly object[], query: URLSearchParams): Answer {
  const at = Number(query.get("page") ?? 1);
  const data = all.slice((at - 1) * 2, at * 2);
  return ok({ type: "list", current_page: at, next_page: at * 2 < all.length ? at + 1 : null, data });
}

function removed<T>(all: T[], is: (one: T) => boolean): Answer {
  const index = all.findIndex(is);
  if (index < 0) return GONE;
  all.splice(index, 1);
  return { status: 204 };
}

function ok(body: object, status = 200): Answer {
  return { status, body };
}

function failed(status: number, message: string, code = "unprocessable"): Answer {
  return { status, body: { code, message } };
}
