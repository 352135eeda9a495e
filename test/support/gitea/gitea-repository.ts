/** The repository `acme/shop` on a real Gitea, and what people do to it. */
import type { Forge } from "../../../service/forges/forge.ts";
import { giteaForge } from "../../../service/forges/gitea.ts";
import { eventually } from "../eventually.ts";
import { createRepository } from "../git-repository.ts";
import type { Gitea, Login } from "./gitealab.ts";

type Files = Readonly<Record<string, string | undefined>>;

export interface GiteaRepository {
  /** `acme/NAME`, as it was at first. */
  readonly path: string;
  /** The account `stackling` administers the repository; `ada` may write to it, `mallory` may not. */
  connect(choice?: { readonly token?: string; readonly options?: Readonly<Record<string, unknown>> }): Promise<Forge>;
  open(pull: { gitBranch: string; files: Files; by?: Login; fromFork?: boolean; title?: string }): Promise<{
    readonly number: number;
    readonly headSha: string;
  }>;
  push(number: number, files: Files): Promise<string>;
  pushBranch(gitBranch: string, files: Files): Promise<string>;
  close(number: number): Promise<void>;
  merge(number: number): Promise<void>;
  /** `acme/shop` becomes `acme/NAME`; the old path is sent on. */
  rename(name: string): Promise<void>;
  comment(number: number, body: string, by: Login): Promise<number>;
  comments(number: number): Promise<readonly { readonly id: number; readonly body: string; readonly user: string }[]>;
  reactions(comment: number): Promise<readonly string[]>;
  /** Newest first. */
  statuses(
    sha: string,
  ): Promise<readonly { readonly status: string; readonly context: string; readonly target_url: string }[]>;
  /** Takes the service's account its access until the returned function is called. */
  lockOut(): Promise<() => Promise<void>>;
  api(method: string, path: string, body?: unknown, by?: Login): Promise<unknown>;
  remove(): Promise<void>;
}

/** Made anew, with `files` on `main`. */
export async function createGiteaRepository(
  gitea: Gitea,
  { name, files }: { readonly name: string; readonly files: Readonly<Record<string, string>> },
): Promise<GiteaRepository> {
  const path = `acme/${name}`;
  let nameNow = name;
  const source = await createRepository({ files });
  const pulls = new Map<number, { readonly gitBranch: string; readonly owner: Login }>();

  const api: GiteaRepository["api"] = async (method, at, body, by = "acme") => {
    const response = await fetch(`${gitea.url}/api/v1${at}`, {
      method,
      headers: { authorization: `token ${gitea.token(by)}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  };
  const repo = (at: string) => `/repos/acme/${nameNow}${at}`;
  const send = async (owner: Login, gitBranch: string) => {
    const place = `${owner}/${owner === "acme" ? nameNow : name}`;
    const url = `${gitea.url.replace("//", `//${owner}:${gitea.token(owner)}@`)}/${place}.git`;
    await source.git("push", "--quiet", "--force", url, `refs/heads/${gitBranch}:refs/heads/${gitBranch}`);
    // Its database learns of a push a while after git.
    const sha = await source.head(gitBranch);
    await eventually(
      async () => {
        const at = `/repos/${place}/branches/${encodeURIComponent(gitBranch)}`;
        const found = (await api("GET", at)) as { commit: { id: string } };
        const { empty } = (await api("GET", `/repos/${place}`)) as { empty: boolean };
        return found.commit.id === sha && !empty;
      },
      { what: `${place} has "${gitBranch}" at ${sha}` },
    );
  };
  const grant = (login: Login, permission: string) => api("PUT", repo(`/collaborators/${login}`), { permission });

  await api("POST", "/user/repos", { name, default_branch: "main" });
  await send("acme", "main");
  await grant("stackling", "admin");
  await grant("ada", "write");

  /** The server moves the pull request's own ref a while after the branch. */
  const untilSeen = (number: number, sha: string) =>
    eventually(
      async () => {
        const refs = (await api("GET", repo(`/git/refs/pull/${number}/head`))) as { object: { sha: string } }[];
        return refs[0]?.object.sha === sha;
      },
      { what: `pull request ${number} is at ${sha}` },
    );

  return {
    path,
    async connect({ token = gitea.token("stackling"), options = {} } = {}) {
      process.env.TEST_GITEA_TOKEN = token;
      const typed = { url: gitea.url, token: { env: "TEST_GITEA_TOKEN" }, ...options };
      return giteaForge.connect(giteaForge.options.parse(typed));
    },
    async open({ gitBranch, files: changes, by = "ada", fromFork = false, title = `Change ${gitBranch}` }) {
      const owner = fromFork ? by : "acme";
      if (fromFork) await api("POST", repo("/forks"), {}, by).catch(() => undefined);
      const headSha = await source.commit(gitBranch, changes);
      await send(owner, gitBranch);
      const head = fromFork ? `${by}:${gitBranch}` : gitBranch;
      const made = (await api("POST", repo("/pulls"), { title, head, base: "main" }, by)) as { number: number };
      pulls.set(made.number, { gitBranch, owner });
      await untilSeen(made.number, headSha);
      return { number: made.number, headSha };
    },
    async push(number, changes) {
      const { gitBranch, owner } = pulls.get(number) ?? { gitBranch: "", owner: "acme" };
      const headSha = await source.commit(gitBranch, changes);
      await send(owner, gitBranch);
      await untilSeen(number, headSha);
      return headSha;
    },
    async pushBranch(gitBranch, changes) {
      const sha = await source.commit(gitBranch, changes);
      await send("acme", gitBranch);
      return sha;
    },
    async close(number) {
      await api("PATCH", repo(`/pulls/${number}`), { state: "closed" });
    },
    async merge(number) {
      // Whether it can be merged is worked out in the background.
      await eventually(() => api("POST", repo(`/pulls/${number}/merge`), { Do: "merge" }).then(() => true), {
        what: `pull request ${number} is merged`,
      });
    },
    async rename(to) {
      await api("PATCH", repo(""), { name: to });
      nameNow = to;
    },
    async comment(number, body, by) {
      const made = (await api("POST", repo(`/issues/${number}/comments`), { body }, by)) as { id: number };
      return made.id;
    },
    async comments(number) {
      const found = (await api("GET", repo(`/issues/${number}/comments`))) as {
        id: number;
        body: string;
        user: { login: string };
      }[];
      return found.map(({ id, body, user }) => ({ id, body, user: user.login }));
    },
    async reactions(comment) {
      const found = (await api("GET", repo(`/issues/comments/${comment}/reactions`))) as { content: string }[] | null;
      return (found ?? []).map(({ content }) => content);
    },
    async statuses(sha) {
      const found = await api("GET", repo(`/statuses/${sha}?sort=recentupdate&limit=50`));
      return found as Awaited<ReturnType<GiteaRepository["statuses"]>>;
    },
    async lockOut() {
      await api("PATCH", repo(""), { private: true });
      await api("DELETE", repo("/collaborators/stackling"));
      return async () => {
        await grant("stackling", "admin");
        await api("PATCH", repo(""), { private: false });
      };
    },
    api,
    remove: () => source.remove(),
  };
}
