/**
 * Commit statuses, deployments and deployment statuses, which the emulator 0.12.2 lacks: the answers
 * and refusals that GitHub documents (REST API 2022-11-28, "Commit statuses", "Deployments" and
 * "Deployment statuses"), kept so that a test can look at them.
 */
import { z } from "zod";

export interface RecordedStatus {
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string | null;
  readonly target_url: string | null;
}

export interface RecordedDeployment {
  readonly id: number;
  readonly sha: string;
  readonly environment: string;
  /** Oldest first. */
  readonly states: readonly string[];
  readonly environmentUrl: string | undefined;
}

export interface Records {
  /** Newest last. */
  statuses(sha: string): readonly RecordedStatus[];
  deployments(): readonly RecordedDeployment[];
  /** Undefined when the call is about something else. */
  answer(call: Call): { readonly status: number; readonly body: string } | undefined;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

const description = z.string().max(140).nullish();
const statusBody = z.object({
  state: z.enum(["error", "failure", "pending", "success"]),
  context: z.string().default("default"),
  target_url: z.url().nullish(),
  description,
});
const deploymentBody = z.object({
  ref: z.string().min(1),
  task: z.string().default("deploy"),
  auto_merge: z.boolean().default(true),
  required_contexts: z.array(z.string()).optional(),
  environment: z.string().default("production"),
  description,
  transient_environment: z.boolean().default(false),
  production_environment: z.boolean().optional(),
});
const deploymentStatusBody = z.object({
  state: z.enum(["error", "failure", "inactive", "in_progress", "queued", "pending", "success"]),
  environment_url: z.url().or(z.literal("")).optional(),
  log_url: z.url().or(z.literal("")).optional(),
  description: description,
  auto_inactive: z.boolean().default(true),
});

interface Kept extends z.infer<typeof deploymentBody> {
  readonly id: number;
  readonly sha: string;
  readonly statuses: z.infer<typeof deploymentStatusBody>[];
}

export function createRecords({ url, login }: { readonly url: string; readonly login: string }): Records {
  const statuses: RecordedStatus[] = [];
  const deployments: Kept[] = [];
  const creator = { login, id: 1, type: "User" };
  const times = () => ({ created_at: new Date().toISOString(), updated_at: new Date().toISOString() });

  const shown = (repository: string, { id, sha, statuses: _, ...kept }: Kept) => ({
    url: `${url}/repos/${repository}/deployments/${id}`,
    id,
    node_id: `DE_${id}`,
    sha,
    ...kept,
    original_environment: kept.environment,
    payload: {},
    creator,
    ...times(),
    statuses_url: `${url}/repos/${repository}/deployments/${id}/statuses`,
    repository_url: `${url}/repos/${repository}`,
  });
  const addStatus = (repository: string, sha: string, sent: z.infer<typeof statusBody>) => {
    const { context, state, target_url = null, description: said = null } = sent;
    statuses.push({ sha, context, state, target_url, description: said });
    const id = statuses.length;
    const where = `${url}/repos/${repository}/statuses/${sha}`;
    return created({ url: where, id, node_id: `SC_${id}`, state, description: said, target_url, context, creator });
  };
  const addDeployment = (repository: string, sent: z.infer<typeof deploymentBody>) => {
    const kept: Kept = { ...sent, id: deployments.length + 1, sha: sent.ref, statuses: [] };
    deployments.push(kept);
    return created(shown(repository, kept));
  };
  const addDeploymentStatus = (repository: string, id: string, sent: z.infer<typeof deploymentStatusBody>): Answer => {
    const kept = deployments.find((one) => String(one.id) === id);
    if (!kept) return refused(404, "Not Found");
    kept.statuses.push(sent);
    const { state, description: said = "", environment_url = "", log_url = "" } = sent;
    return created({
      url: `${url}/repos/${repository}/deployments/${id}/statuses/${kept.statuses.length}`,
      id: kept.statuses.length,
      state,
      creator,
      description: said,
      environment: kept.environment,
      target_url: log_url,
      ...times(),
      deployment_url: `${url}/repos/${repository}/deployments/${id}`,
      repository_url: `${url}/repos/${repository}`,
      environment_url,
      log_url,
    });
  };

  return {
    statuses: (sha) => statuses.filter((status) => status.sha === sha),
    deployments: () =>
      deployments.map(({ id, sha, environment, statuses: said }) => ({
        id,
        sha,
        environment,
        states: said.map(({ state }) => state),
        environmentUrl: said.findLast(({ environment_url }) => environment_url)?.environment_url,
      })),
    answer({ method, path, body }) {
      const { pathname, searchParams } = new URL(path, url);
      const [, repository = "", rest = ""] = /^\/repos\/([^/]+\/[^/]+)\/(.+)$/.exec(pathname) ?? [];
      const [what, id = "", sub] = rest.split("/");
      const isPost = method === "POST";
      if (what === "statuses" && isPost) return taken(statusBody, body, (sent) => addStatus(repository, id, sent));
      if (what !== "deployments") return undefined;
      if (id === "" && isPost) return taken(deploymentBody, body, (sent) => addDeployment(repository, sent));
      if (sub === "statuses" && isPost) {
        return taken(deploymentStatusBody, body, (sent) => addDeploymentStatus(repository, id, sent));
      }
      if (id !== "" || method !== "GET") return refused(404, "Not Found");
      const wanted = ["sha", "environment"] as const;
      const found = deployments.filter((kept) =>
        wanted.every((field) => !searchParams.has(field) || searchParams.get(field) === kept[field]),
      );
      return { status: 200, body: JSON.stringify(found.toReversed().map((kept) => shown(repository, kept))) };
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function taken<S extends z.ZodType>(schema: S, body: string, take: (sent: z.infer<S>) => Answer): Answer {
  const sent = schema.safeParse(JSON.parse(body));
  return sent.success ? take(sent.data) : refused(422, "Validation Failed");
}

function created(body: object): Answer {
  return { status: 201, body: JSON.stringify(body) };
}

function refused(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ message }) };
}
