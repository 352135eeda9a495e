/**
 * What the emulator 0.12.2 lacks about Apps and GitHub has: making one from a manifest (GitHub docs, "Registering a
 * GitHub App from a manifest", with what it refuses), the repositories of an installation, events sent by
 * `repository_dispatch`, and deliveries that can be listed and asked for again (REST API 2022-11-28).
 */
import { randomBytes, randomInt } from "node:crypto";
import { z } from "zod";
import type { SeenDelivery } from "./emulate-deliveries.ts";

export interface MadeHere {
  readonly id: number;
  readonly privateKey: string;
}

export interface Apps {
  /** The manifests that were taken, newest last. */
  readonly manifests: readonly Manifest[];
  /** Whose each is; undefined: the person's own. */
  readonly owners: readonly (string | undefined)[];
  /** Events that were sent, newest last. */
  readonly dispatched: readonly z.infer<typeof dispatch>[];
  /** Secret of the newest App's webhook; undefined for one without. */
  webhookSecret(): string | undefined;
  /** Undefined when the call is about something else. */
  answer(call: Call): Promise<Answer | undefined>;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly authorization?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const EVENTS = [
  "check_run",
  "check_suite",
  "delete",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "push",
  "repository",
] as const;
const level = z.enum(["read", "write"]);
const manifest = z
  .strictObject({
    name: z.string().min(1).max(34),
    url: z.url(),
    description: z.string().optional(),
    public: z.boolean(),
    redirect_url: z.url(),
    setup_url: z.url().optional(),
    setup_on_update: z.boolean().optional(),
    callback_urls: z.array(z.url()).max(10).optional(),
    hook_attributes: z.strictObject({ url: z.url(), active: z.boolean() }).optional(),
    default_events: z.array(z.enum(EVENTS)).optional(),
    default_permissions: z.strictObject({
      metadata: z.literal("read"),
      contents: level,
      pull_requests: level,
      issues: level,
      checks: level,
      deployments: level,
      statuses: level,
    }),
  })
  .refine((one) => one.hook_attributes !== undefined || (one.default_events ?? []).length === 0, "events need a hook");
type Manifest = z.infer<typeof manifest>;

const dispatch = z.strictObject({
  event_type: z.string().min(1).max(100),
  client_payload: z
    .record(z.string(), z.unknown())
    .refine((payload) => Object.keys(payload).length <= 10, "at most 10 properties"),
});

/** @param app what every made App is in the emulator */
export function createApps({
  url,
  app,
  deliveries,
}: {
  readonly url: string;
  readonly app: () => MadeHere;
  readonly deliveries: SeenDelivery[];
}): Apps {
  const manifests: Manifest[] = [];
  const owners: (string | undefined)[] = [];
  const dispatched: z.infer<typeof dispatch>[] = [];
  const codes = new Map<string, Manifest>();
  let secret: string | undefined;

  const made = (taken: Manifest) => {
    secret = taken.hook_attributes ? randomBytes(20).toString("hex") : undefined;
    return {
      id: app().id,
      slug: "stackling",
      node_id: "A_kwHOAA",
      owner: { login: owners.at(-1) ?? "acme", id: 1, type: "Organization" },
      name: taken.name,
      description: taken.description ?? null,
      external_url: taken.url,
      html_url: `${url}/apps/stackling`,
      created_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
      permissions: taken.default_permissions,
      events: taken.default_events ?? [],
      client_id: `Iv1.${randomBytes(8).toString("hex")}`,
      client_secret: randomBytes(20).toString("hex"),
      webhook_secret: secret ?? null,
      pem: app().privateKey,
    };
  };

  const register = (path: URL, body: string): Answer => {
    const [, organization] = /^\/organizations\/([^/]+)\//.exec(path.pathname) ?? [];
    const sent = new URLSearchParams(body);
    const taken = manifest.safeParse(JSON.parse(sent.get("manifest") ?? "null"));
    if (!taken.success) return page(422, `Invalid GitHub App configuration: ${z.prettifyError(taken.error)}`);
    const hook = taken.data.hook_attributes?.url;
    if (hook && /localhost|127\.0\.0\.1/.test(hook))
      return page(422, "Hook url is not supported because it isn't reachable");
    if (sent.get("confirmed") !== "yes") {
      const field = (name: string, value: string) =>
        `<input type="hidden" name="${name}" value="${value.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}">`;
      const fields = field("manifest", sent.get("manifest") ?? "") + field("confirmed", "yes");
      return page(
        200,
        `<form method="post">${fields}<button>Create GitHub App for ${organization ?? "acme"}</button></form>`,
      );
    }
    manifests.push(taken.data);
    owners.push(organization);
    const code = randomBytes(20).toString("hex");
    codes.set(code, taken.data);
    const back = new URL(taken.data.redirect_url);
    back.searchParams.set("code", code);
    back.searchParams.set("state", path.searchParams.get("state") ?? "");
    return { status: 302, headers: { location: String(back) }, body: "" };
  };

  const hookDeliveries = async (method: string, path: URL): Promise<Answer> => {
    const [, id] = /\/deliveries\/(\d+)\/attempts$/.exec(path.pathname) ?? [];
    if (method === "POST" && id) {
      const found = deliveries.find((one) => String(one.id) === id);
      if (!found) return json(404, { message: "Not Found" });
      await found.attempt();
      return json(202, {});
    }
    const shown = [...deliveries].reverse().map(({ attempt: _, ...one }) => one);
    const size = Number(path.searchParams.get("per_page") ?? 30);
    const from = Number(path.searchParams.get("cursor")?.replace("v1_", "") ?? 0);
    const rest = shown.length > from + size;
    const link: Answer["headers"] = rest
      ? { link: `<${url}${path.pathname}?per_page=${size}&cursor=v1_${from + size}>; rel="next"` }
      : {};
    const answer = json(200, shown.slice(from, from + size));
    return { ...answer, headers: { ...answer.headers, ...link } };
  };

  return {
    manifests,
    owners,
    dispatched,
    webhookSecret: () => secret,
    async answer({ method, path: asked, body, authorization = "" }) {
      const path = new URL(asked, url);
      const { pathname } = path;
      if (/^(\/organizations\/[^/]+)?\/settings\/apps\/new$/.test(pathname) && method === "POST")
        return register(path, body);
      if (pathname === "/apps/stackling/installations/new") {
        const back = new URL(manifests.at(-1)?.setup_url ?? url);
        back.searchParams.set("installation_id", "100");
        back.searchParams.set("setup_action", "install");
        return page(200, `<a href="${back}">Install</a>`);
      }
      const [, code] = /^\/app-manifests\/([^/]+)\/conversions$/.exec(pathname) ?? [];
      if (code && method === "POST") {
        const taken = codes.get(code);
        codes.delete(code);
        return taken ? json(201, made(taken)) : json(404, { message: "Not Found" });
      }
      if (pathname === "/installation/repositories") {
        if (!/^(token|bearer) ghs_/i.test(authorization)) return json(403, { message: "Resource not accessible" });
        const repositories = ["acme/shop", "acme/tools"].map((full_name) => ({ id: randomInt(1_000_000), full_name }));
        return json(200, { total_count: 2, repository_selection: "selected", repositories });
      }
      if (/^\/repos\/[^/]+\/[^/]+\/dispatches$/.test(pathname) && method === "POST") {
        const sent = dispatch.safeParse(JSON.parse(body));
        if (!sent.success) return json(422, { message: "Validation Failed" });
        dispatched.push(sent.data);
        return { status: 204, headers: {}, body: "" };
      }
      if (/^\/app\/hook\/deliveries/.test(pathname)) return hookDeliveries(method, path);
      if (/^\/repos\/[^/]+\/[^/]+\/hooks\/\d+\/deliveries/.test(pathname)) return hookDeliveries(method, path);
      return undefined;
    },
  };
}

function json(status: number, body: unknown): Answer {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function page(status: number, body: string): Answer {
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8" },
    body: `<!doctype html><title>GitHub</title>${body}`,
  };
}
