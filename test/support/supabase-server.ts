/**
 * Supabase's management API as far as previews need it, on loopback. Shapes and paths as in the types that
 * Supabase's own CLI is built with (its pkg/api, made from the published OpenAPI).
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface SupabaseBranch {
  id: string;
  name: string;
  project_ref: string;
  parent_project_ref: string;
  is_default: boolean;
  persistent: boolean;
  status: string;
  with_data: boolean;
  created_at: string;
  updated_at: string;
}

export interface Failure {
  readonly status: number;
  readonly on?: string;
  readonly message?: string;
  readonly after?: true;
}

export interface SupabaseServer {
  readonly url: string;
  readonly branches: SupabaseBranch[];
  /** Of each branch's server, by its project. */
  readonly passwords: Map<string, string>;
  /** `METHOD /path` below `/v1`, in order. */
  readonly calls: string[];
  /** Each answers the next call, of those that it is `on`; `after` what was asked was done, as a lost answer. */
  readonly failures: Failure[];
  /** What a branch goes through before it is ready: its own state and its server's, one look each. */
  readonly stages: (readonly [string, string])[];
  close(): Promise<void>;
}

export const SUPABASE_TOKEN = "sbp_secret_of_the_test";
export const SUPABASE_PROJECT = "abcdefghijklmnopqrst";
const PROJECTS = [SUPABASE_PROJECT, "tsrqponmlkjihgfedcba"];

export async function startSupabaseServer(): Promise<SupabaseServer> {
  process.env.STACKLING_TEST_SUPABASE = SUPABASE_TOKEN;
  const server = createServer((request, response) => {
    answer(state, request).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json", ...(status === 429 && { "retry-after": "0" }) });
      response.end(JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const state: SupabaseServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    branches: [aBranch({ name: "main", is_default: true, persistent: true, project_ref: SUPABASE_PROJECT })],
    passwords: new Map(),
    calls: [],
    failures: [],
    stages: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return state;
}

let made = 0;

export function aBranch(branch: Pick<SupabaseBranch, "name"> & Partial<SupabaseBranch>): SupabaseBranch {
  made += 1;
  const at = new Date().toISOString();
  return {
    id: randomUUID(),
    // Twenty letters.
    project_ref: `branch${"abcdefghij"[made % 10]}${"x".repeat(13)}`,
    parent_project_ref: SUPABASE_PROJECT,
    is_default: false,
    persistent: false,
    status: "FUNCTIONS_DEPLOYED",
    with_data: false,
    created_at: at,
    updated_at: at,
    ...branch,
  };
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

async function answer(state: SupabaseServer, request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? "", "http://localhost");
  const call = `${request.method} ${pathname.replace("/v1", "")}`;
  state.calls.push(call);
  const sent = await text(request);
  if (request.headers.authorization !== `Bearer ${SUPABASE_TOKEN}`) {
    return failed(401, `Unauthorized: ${request.headers.authorization}`);
  }
  const at = state.failures.findIndex(({ on = call }) => on === call);
  const planned = at < 0 ? undefined : state.failures.splice(at, 1)[0];
  if (planned && !planned.after) return failed(planned.status, planned.message ?? "no");
  for (const [pattern, handle] of routes) {
    const [whole, one = ""] = pattern.exec(call) ?? [];
    if (whole === undefined) continue;
    const body: unknown = sent === "" ? {} : JSON.parse(sent);
    const found = handle(state, one, body as Record<string, unknown>);
    return planned ? failed(planned.status, "no") : found;
  }
  return GONE;
}

const GONE = failed(404, "Not found");

type Handle = (state: SupabaseServer, one: string, sent: Record<string, unknown>) => Answer;

const routes: readonly (readonly [RegExp, Handle])[] = [
  [
    /^GET \/projects\/([a-z]{20})\/branches$/,
    (state, project) => {
      if (!PROJECTS.includes(project)) return GONE;
      const [stage] = state.stages;
      const found = state.branches.filter((branch) => branch.parent_project_ref === project);
      return ok(found.map((branch) => (stage && stackling(branch) ? { ...branch, status: stage[0] } : branch)));
    },
  ],
  [/^POST \/projects\/([a-z]{20})\/branches$/, (state, project, sent) => createBranch(state, project, sent)],
  [
    /^GET \/branches\/([0-9a-f-]+)$/,
    (state, id) => {
      const branch = state.branches.find((one) => one.id === id);
      return branch ? ok(detailOf(state, branch)) : GONE;
    },
  ],
  [
    /^DELETE \/branches\/([0-9a-f-]+)$/,
    (state, id) => {
      const index = state.branches.findIndex((one) => one.id === id);
      if (index < 0) return GONE;
      state.branches.splice(index, 1);
      return ok({ message: "ok" });
    },
  ],
  [
    /^GET \/projects\/([a-z]{20})\/config\/database\/pooler$/,
    (_state, ref) => ok([pooler(ref, "READ_REPLICA"), pooler(ref)]),
  ],
  [
    /^GET \/projects\/([a-z]{20})\/api-keys$/,
    (_state, ref) =>
      ok([
        { name: "anon", api_key: `anon of ${ref}` },
        { name: "service_role", api_key: `service of ${ref}` },
        { name: "default", api_key: null, type: "secret" },
      ]),
  ],
  [
    /^PATCH \/projects\/([a-z]{20})\/database\/password$/,
    (state, ref, sent) => {
      state.passwords.set(ref, String(sent.password));
      return ok({ message: "Successfully updated password" });
    },
  ],
];

function createBranch(state: SupabaseServer, project: string, sent: Record<string, unknown>): Answer {
  if (!PROJECTS.includes(project)) return GONE;
  const name = String(sent.branch_name);
  if (state.branches.some((branch) => branch.name === name)) return failed(409, "Branch already exists");
  const branch = aBranch({
    name,
    parent_project_ref: project,
    persistent: sent.persistent === true,
    with_data: sent.with_data === true,
  });
  state.branches.push(branch);
  state.passwords.set(branch.project_ref, `word/of ${branch.project_ref}`);
  return ok(branch, 201);
}

function detailOf(state: SupabaseServer, branch: SupabaseBranch): object {
  const [, status = "ACTIVE_HEALTHY"] = state.stages.shift() ?? [];
  const ref = branch.project_ref;
  return {
    ref,
    status,
    db_host: `db.${ref}.supabase.co`,
    db_port: 5432,
    db_user: "postgres",
    db_pass: state.passwords.get(ref) ?? "word",
    jwt_secret: "a secret",
    postgres_engine: "17",
    postgres_version: "17.4",
    release_channel: "ga",
  };
}

function pooler(ref: string, type = "PRIMARY"): object {
  return {
    identifier: ref,
    database_type: type,
    is_using_scram_auth: true,
    db_user: `postgres.${ref}`,
    db_host: type === "PRIMARY" ? "aws-0-eu-central-1.pooler.supabase.com" : "elsewhere.pooler.supabase.com",
    db_port: 6543,
    db_name: "postgres",
    connection_string: `postgresql://postgres.${ref}:[YOUR-PASSWORD]@aws-0-eu-central-1.pooler.supabase.com:6543/postgres`,
    default_pool_size: null,
    max_client_conn: null,
    pool_mode: "transaction",
  };
}

function stackling({ name }: SupabaseBranch): boolean {
  return name.startsWith("stackling/");
}

function ok(body: object, status = 200): Answer {
  return { status, body };
}

function failed(status: number, message: string): Answer {
  return { status, body: { message } };
}
