/**
 * A GitHub for tests: the API emulator `emulate` behind a small front (what the emulator lacks), and a
 * real bare git repository whose commits the emulator holds under the same ids.
 */
import { createHmac, randomUUID } from "node:crypto";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { createEmulator } from "emulate";
import type { Forge, ForgeGround } from "../../service/forges/forge.ts";
import { githubForge } from "../../service/forges/github.ts";
import { APP_PERMISSIONS } from "../../service/forges/github-app.ts";
import { type Apps, createApps } from "./emulate-apps.ts";
import { createTalk } from "./emulate-comments.ts";
import { deliverTo, type SeenDelivery } from "./emulate-deliveries.ts";
import {
  answerAsGithub,
  type ChangedFile,
  type Fault,
  type MadeComment,
  type Renames,
  type SeenRequest,
} from "./emulate-front.ts";
import { createGitServer } from "./emulate-git.ts";
import { type ApiCall, createMirror } from "./emulate-mirror.ts";
import { createRecords, type Records } from "./emulate-records.ts";
import { freePort } from "./free-port.ts";
import { createRepository, type TestRepository } from "./git-repository.ts";

const OWNER_TOKEN = "owner-token";
const OUTSIDER_TOKEN = "outsider-token";
const WEBHOOK_SECRET = "a webhook secret";
const APP_ID = 4711;

export interface TestGithub {
  /** Base of the REST API. */
  readonly url: string;
  readonly token: string;
  readonly webhookSecret: string;
  readonly app: { readonly id: number; readonly privateKey: string };
  /** The forge as the config would connect it. */
  connect(kind: "token" | "app", options?: Readonly<Record<string, unknown>>, ground?: ForgeGround): Promise<Forge>;
  /** Template for the forge's option `cloneUrl`. */
  readonly cloneUrl: string;
  /** The same over HTTP, for those who bear a credential. */
  readonly gitUrl: string;
  /** Commit statuses and deployments, where the server has them. */
  readonly records: Records | undefined;
  /** `acme/shop` */
  readonly path: string;
  readonly repository: TestRepository;
  readonly requests: readonly SeenRequest[];
  /** Opens a pull request whose head has these files changed; returns number and head. */
  open(pull: {
    gitBranch: string;
    files: Readonly<Record<string, string | undefined>>;
    title?: string;
    description?: string;
    /** Made in a fork by somebody with no rights. */
    fromFork?: boolean;
    by?: Person;
    draft?: boolean;
  }): Promise<{ number: number; headSha: string }>;
  push(number: number, files: Readonly<Record<string, string | undefined>>): Promise<string>;
  /** The branch begins anew from `main` with these files; no ref reaches what it held before, and git forgets it. */
  forcePush(number: number, files: Readonly<Record<string, string | undefined>>): Promise<string>;
  /** Pushes to a git branch that is no pull request's. */
  pushBranch(gitBranch: string, files: Readonly<Record<string, string | undefined>>): Promise<string>;
  close(number: number): Promise<void>;
  merge(number: number): Promise<void>;
  reopen(number: number): Promise<void>;
  comments(number: number): Promise<readonly { id: number; body: string; user: { login: string } }[]>;
  comment(number: number, body: string, by?: Person): Promise<number>;
  /** Contents of the reactions to a comment. */
  reactions(comment: number): readonly string[];
  deleteComment(id: number): Promise<void>;
  checkRuns(sha: string): Promise<readonly { name: string; status: string; conclusion: string | null }[]>;
  /** `acme/shop` becomes `acme/NAME`; the old path is sent on, as GitHub does. */
  rename(name: string): Promise<void>;
  /** From now on deliveries go there, signed. */
  sendWebhooksTo(url: string): Promise<void>;
  /** Apps that were made here, events that were sent. */
  readonly apps: Apps;
  /** What was delivered so far, newest last; not what the emulator itself delivers. */
  readonly deliveries: readonly SeenDelivery[];
  /** Delivers an event as GitHub does. */
  deliver(event: string, payload: object): Promise<void>;
  /** These tokens of installations are over before their time. */
  end(token: string): void;
  /** Breaks answers until the returned function is called. */
  fail(fault: Fault): () => void;
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

type Person = "owner" | "outsider";

interface Pull {
  readonly number: number;
  readonly gitBranch: string;
  readonly person: Person;
}

/**
 * Starts it on fresh loopback ports with the repository `acme/shop`, whose `main` holds `files`. With
 * `recording` it also has commit statuses and deployments, which the emulator lacks.
 */
export async function startGithub({
  files,
  recording = false,
}: {
  files: Readonly<Record<string, string>>;
  recording?: boolean;
}): Promise<TestGithub> {
  const repository = await createRepository({ files, bare: true });
  const cloneRoot = join(dirname(repository.path), "clone");
  await mkdir(join(cloneRoot, "acme"), { recursive: true });
  await symlink(repository.path, join(cloneRoot, "acme", "shop.git"));
  const front = createServer();
  const url = await listen(front);
  // The emulator cannot be told its outer address and choose a port itself.
  const port = await freePort();
  const inner = `http://127.0.0.1:${port}`;
  const emulator = await createEmulator({ service: "github", port, baseUrl: url, seed: SEED });
  const privateKey = emulator.generatedSecrets[0]?.value ?? "";
  const cloneUrl = join(cloneRoot, "{path}.git");
  const pulls = new Map<number, Pull>();
  const heads = new Map<number, string>();
  const faults = new Set<Fault>();
  const requests: SeenRequest[] = [];
  const tokens = new Set([OWNER_TOKEN, OUTSIDER_TOKEN]);
  const records = recording ? createRecords({ url, login: "acme" }) : undefined;
  let renames: Renames | undefined;
  const talk = createTalk({ url });
  const ended = new Set<string>();
  const deliveries: SeenDelivery[] = [];
  const apps = createApps({ url, app: () => ({ id: APP_ID, privateKey }), deliveries });
  const isKnown = (token: string) => tokens.has(token) || token.startsWith("ghs_");
  const git = createGitServer({ root: cloneRoot, isKnown });
  front.on("request", (request, response) => {
    const filesOf = (number: number) => changedFiles(repository, heads.get(number) ?? "main");
    const more = { ...(records ? { records } : {}), ...(renames ? { renames } : {}) };
    const known = { tokens, ended, granted: APP_PERMISSIONS };
    const parts = { inner, ...known, heads, faults, requests, git, filesOf, talk, apps, onComment, ...more };
    void answerAsGithub(parts, request, response);
  });

  const call: ApiCall = async (method, path, { body, token = OWNER_TOKEN } = {}) => {
    const now = path.replace(/^\/repos\/acme\/shop(?![^/?])/, `/repos/${renames?.now ?? "acme/shop"}`);
    const response = await fetch(`${inner}${now}`, {
      method,
      // A connection that is kept may be closed at the very moment when it is used again.
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", connection: "close" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  };
  const mirror = createMirror(repository, call);
  const places = {
    owner: { repository: "acme/shop", token: OWNER_TOKEN },
    outsider: { repository: "mallory/shop", token: OUTSIDER_TOKEN },
  };
  let hookUrl: string | undefined;

  const setHead = async (number: number, headSha: string) => {
    heads.set(number, headSha);
    await repository.git("update-ref", `refs/pull/${number}/head`, headSha);
  };
  /** For what happens through the git database, of which the emulator tells nobody. */
  const deliver = async (event: string, payload: object) => {
    const { id, full_name } = (await call("GET", "/repos/acme/shop")) as { id: number; full_name: string };
    const body = JSON.stringify({ ...payload, repository: { id, full_name, default_branch: "main" } });
    const headers = signedHeaders(event, body, apps.webhookSecret());
    await deliverTo(deliveries, () => hookUrl, { event, body, headers });
  };
  /** Its own delivery leaves out that the issue is a pull request. */
  const onComment = (number: number, comment: MadeComment) => {
    talk.made(number, comment);
    const issue = { number, pull_request: { url: `${url}/repos/acme/shop/pulls/${number}` } };
    // Nobody listens when the service is down: that delivery is lost, as it is on GitHub.
    void deliver("issue_comment", { action: "created", issue, comment });
  };
  const push: TestGithub["push"] = async (number, changes) => {
    const pull = pulls.get(number);
    if (!pull) throw new Error(`there is no pull request ${number}`);
    const headSha = await repository.commit(pull.gitBranch, changes);
    await mirror(places[pull.person], pull.gitBranch, headSha);
    await setHead(number, headSha);
    await deliver("pull_request", { action: "synchronize", number });
    return headSha;
  };
  const addHook = async (target: string) => {
    const config = { url: target, content_type: "json", secret: WEBHOOK_SECRET };
    const body = { name: "web", active: true, events: ["pull_request", "push"], config };
    await call("POST", "/repos/acme/shop/hooks", { body });
  };
  await mirror(places.owner, "main", await repository.head("main"));
  return {
    url,
    token: OWNER_TOKEN,
    webhookSecret: WEBHOOK_SECRET,
    app: { id: APP_ID, privateKey },
    async connect(kind, options = {}, ground) {
      const secrets = { token: OWNER_TOKEN, privateKey, webhook: WEBHOOK_SECRET };
      const file = async (name: keyof typeof secrets) => {
        const path = join(dirname(repository.path), `${name}.secret`);
        await writeFile(path, secrets[name], { mode: 0o600 });
        return { file: path };
      };
      const credential =
        kind === "token"
          ? { token: await file("token") }
          : { app: { id: APP_ID, privateKey: await file("privateKey") } };
      const webhookSecrets = [await file("webhook")];
      const typed = { baseUrl: url, cloneUrl, rateLimits: false, webhookSecrets, ...credential, ...options };
      return githubForge.connect(githubForge.options.parse(typed), ground);
    },
    cloneUrl,
    gitUrl: `${url}/{path}.git`,
    records,
    path: "acme/shop",
    repository,
    requests,
    async open({
      gitBranch,
      files: changes,
      title = `Change ${gitBranch}`,
      description = "",
      fromFork = false,
      by = fromFork ? "outsider" : "owner",
      draft = false,
    }) {
      const headSha = await repository.commit(gitBranch, changes);
      const place = fromFork ? places.outsider : places.owner;
      if (fromFork) await call("POST", "/repos/acme/shop/forks", { token: OUTSIDER_TOKEN, body: {} }).catch(() => {});
      await mirror(place, gitBranch, headSha);
      const head = `${fromFork ? "mallory" : "acme"}:${gitBranch}`;
      const made = (await call("POST", "/repos/acme/shop/pulls", {
        token: places[by].token,
        body: { title, body: description, head, base: "main", draft },
      })) as { number: number };
      pulls.set(made.number, { number: made.number, gitBranch, person: fromFork ? "outsider" : "owner" });
      await setHead(made.number, headSha);
      return { number: made.number, headSha };
    },
    push,
    async forcePush(number, changes) {
      await repository.deleteBranch(pulls.get(number)?.gitBranch ?? "");
      const headSha = await push(number, changes);
      await repository.git("reflog", "expire", "--expire=now", "--all");
      await repository.git("gc", "--quiet", "--prune=now");
      return headSha;
    },
    async pushBranch(gitBranch, changes) {
      const headSha = await repository.commit(gitBranch, changes);
      await mirror(places.owner, gitBranch, headSha);
      await deliver("push", { ref: `refs/heads/${gitBranch}`, after: headSha });
      return headSha;
    },
    async close(number) {
      await call("PATCH", `/repos/acme/shop/pulls/${number}`, { body: { state: "closed" } });
    },
    async merge(number) {
      await call("PUT", `/repos/acme/shop/pulls/${number}/merge`, { body: {} });
    },
    async reopen(number) {
      await call("PATCH", `/repos/acme/shop/pulls/${number}`, { body: { state: "open" } });
    },
    async comments(number) {
      const found = await call("GET", `/repos/acme/shop/issues/${number}/comments?per_page=100`);
      return found as { id: number; body: string; user: { login: string } }[];
    },
    async comment(number, body, by = "owner") {
      const { token } = places[by];
      const path = `/repos/acme/shop/issues/${number}/comments`;
      const made = (await call("POST", path, { body: { body }, token })) as MadeComment;
      onComment(number, made);
      return made.id;
    },
    reactions: talk.reactions,
    async deleteComment(id) {
      await call("DELETE", `/repos/acme/shop/issues/comments/${id}`);
    },
    async checkRuns(sha) {
      const found = await call("GET", `/repos/acme/shop/commits/${sha}/check-runs`);
      return (found as { check_runs: { name: string; status: string; conclusion: string | null }[] }).check_runs;
    },
    async rename(name) {
      const before = renames?.now ?? "acme/shop";
      const { id } = (await call("PATCH", "/repos/acme/shop", { body: { name } })) as { id: number };
      renames = { old: new Set([...(renames?.old ?? []), before]), now: `acme/${name}`, id };
      await rename(join(cloneRoot, `${before}.git`), join(cloneRoot, "acme", `${name}.git`));
      // The emulator keeps hooks by the name of old.
      if (hookUrl) await addHook(hookUrl);
    },
    async sendWebhooksTo(target) {
      hookUrl = target;
      await addHook(target);
    },
    apps,
    deliveries,
    deliver,
    end: (token) => void ended.add(token),
    fail(fault) {
      faults.add(fault);
      return () => {
        faults.delete(fault);
      };
    },
    api: (method, path, body) => call(method, path, { body }),
    async stop() {
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      await emulator.close();
      await repository.remove();
    },
  };
}

const SEED = {
  tokens: { [OWNER_TOKEN]: { login: "acme" }, [OUTSIDER_TOKEN]: { login: "mallory" } },
  github: {
    users: [
      { login: "acme", name: "Acme", email: "acme@example.com" },
      { login: "mallory", name: "Mallory", email: "mallory@example.com" },
    ],
    repos: [
      { owner: "acme", name: "shop", auto_init: false },
      { owner: "acme", name: "tools", auto_init: false },
      { owner: "mallory", name: "garden", auto_init: false },
    ],
    apps: [
      {
        app_id: APP_ID,
        slug: "stackling",
        name: "Stackling",
        // As one that is made from the manifest.
        permissions: APP_PERMISSIONS,
        installations: [
          { installation_id: 100, account: "acme" },
          { installation_id: 200, account: "mallory" },
        ],
      },
    ],
  },
};

/** As GitHub lists them: of a renamed file the old name stands beside the new one. */
async function changedFiles(repository: TestRepository, headSha: string): Promise<readonly ChangedFile[]> {
  const text = await repository.git("diff", "--name-status", "--find-renames", "-z", `main...${headSha}`);
  const fields = text.split("\0").filter(Boolean);
  const found: ChangedFile[] = [];
  while (fields.length > 0) {
    const [status = "", name = ""] = fields.splice(0, 2);
    const renamed = status.startsWith("R") ? fields.shift() : undefined;
    found.push(
      renamed === undefined
        ? { filename: name, status: status === "A" ? "added" : status === "D" ? "removed" : "modified" }
        : { filename: renamed, status: "renamed", previous_filename: name },
    );
  }
  return found;
}

/** Headers of a delivery as GitHub signs it. */
export function signedHeaders(event: string, body: string, secret = WEBHOOK_SECRET): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
