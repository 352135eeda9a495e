/**
 * What Stackling asks of GitLab, in the shapes of its API docs (version 4, GitLab 17), over a real bare repository:
 * GitLab itself is no single program that could be built here. Every write is refused where GitLab refuses it.
 */
import { mkdir, symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Forge } from "../../../service/forges/forge.ts";
import { gitlabForge } from "../../../service/forges/gitlab.ts";
import { createRepository, type TestRepository } from "../git-repository.ts";
import { type Answer, type Files, gitlabRoutes, type Person, type Project } from "./gitlab-routes.ts";

export interface TestGitlab {
  readonly url: string;
  readonly path: string;
  readonly source: TestRepository;
  readonly project: Project;
  readonly asked: readonly string[];
  connect(options?: Readonly<Record<string, unknown>>): Promise<Forge>;
  open(pull: { gitBranch: string; files: Files; by?: Person; fromFork?: boolean }): Promise<{
    readonly number: number;
    readonly headSha: string;
  }>;
  push(number: number, files: Files): Promise<string>;
  pushBranch(gitBranch: string, files: Files): Promise<string>;
  close(number: number): void;
  say(number: number, body: string, by: Person): number;
  /** In place of what it would answer; undefined: as it would. */
  instead: (what: string) => Answer | undefined;
  stop(): Promise<void>;
}

export const GITLAB_TOKEN = "glpat-test";

/** With `files` on `main`, as `acme/web/shop`. */
export async function startGitlab({
  files,
}: {
  readonly files: Readonly<Record<string, string>>;
}): Promise<TestGitlab> {
  const source = await createRepository({ files, bare: true });
  const path = "acme/web/shop";
  const root = dirname(source.path);
  await mkdir(join(root, dirname(path)), { recursive: true });
  await symlink(source.path, join(root, `${path}.git`));
  const project: Project = {
    path,
    merges: new Map(),
    notes: [],
    statuses: [],
    deployments: [],
    environments: [],
    hooks: [],
  };
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += String(piece);
    const url = new URL(request.url ?? "/", "http://gitlab.test");
    const what = `${request.method} ${request.url?.replace(/^\/api\/v4/, "")}`;
    asked.push(what);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const isOurs = request.headers.authorization === `Bearer ${GITLAB_TOKEN}`;
    const answer: Answer =
      test.instead(what) ??
      (isOurs
        ? await routes({ method: request.method ?? "GET", path: request.url ?? "/", query: url.searchParams, body })
        : { status: 401, body: { message: "401 Unauthorized" } });
    response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  });
  server.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const routes = gitlabRoutes({ project, source, url });

  const test: TestGitlab = {
    url,
    path,
    source,
    project,
    asked,
    instead: () => undefined,
    async connect(options = {}) {
      process.env.TEST_GITLAB_TOKEN = GITLAB_TOKEN;
      const typed = { url, token: { env: "TEST_GITLAB_TOKEN" }, cloneUrl: `${root}/{path}.git`, ...options };
      return gitlabForge.connect(gitlabForge.options.parse(typed));
    },
    async open({ gitBranch, files: changes, by = "ada", fromFork = false }) {
      const headSha = await source.commit(gitBranch, changes);
      const iid = project.merges.size + 1;
      await source.git("update-ref", `refs/merge-requests/${iid}/head`, headSha);
      const baseSha = await source.git("merge-base", "main", headSha);
      const at = new Date().toISOString();
      const more = { title: `Change ${gitBranch}`, by, draft: false, labels: [], createdAt: at, updatedAt: at };
      project.merges.set(iid, { iid, state: "opened", gitBranch, headSha, baseSha, fromFork, ...more });
      return { number: iid, headSha };
    },
    async push(number, changes) {
      const merge = project.merges.get(number);
      if (!merge) throw new Error(`there is no merge request ${number}`);
      merge.headSha = await source.commit(merge.gitBranch, changes);
      merge.updatedAt = new Date().toISOString();
      await source.git("update-ref", `refs/merge-requests/${number}/head`, merge.headSha);
      return merge.headSha;
    },
    pushBranch: (gitBranch, changes) => source.commit(gitBranch, changes),
    close(number) {
      const merge = project.merges.get(number);
      if (merge) Object.assign(merge, { state: "closed", updatedAt: new Date().toISOString() });
    },
    say(number, body, by) {
      const id = 1_000 + project.notes.length;
      const at = new Date().toISOString();
      project.notes.push({ id, iid: number, body, by, system: false, createdAt: at, emoji: [] });
      const merge = project.merges.get(number);
      if (merge) merge.updatedAt = at;
      return id;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await source.remove();
    },
  };
  return test;
}
