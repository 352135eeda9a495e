/** The contract server's answers: routes of GitLab's REST API as its docs show them. */
import type { TestRepository } from "../git-repository.ts";

export type Files = Readonly<Record<string, string | undefined>>;
/** `stackling` is the token's account (Maintainer), `ada` a Developer, `mallory` a stranger, `guest` a member who may only look. */
export type Person = "stackling" | "ada" | "mallory" | "guest";

export interface Merge {
  readonly iid: number;
  readonly title: string;
  state: "opened" | "closed" | "merged" | "locked";
  readonly gitBranch: string;
  headSha: string;
  readonly baseSha: string;
  readonly fromFork: boolean;
  readonly by: Person;
  draft: boolean;
  description?: string;
  labels: readonly string[];
  readonly createdAt: string;
  updatedAt: string;
  /** In place of the number that there are. */
  readonly changesCount?: string;
}

export interface Note {
  readonly id: number;
  readonly iid: number;
  body: string;
  readonly by: Person;
  readonly system: boolean;
  readonly type?: "DiffNote" | "DiscussionNote";
  readonly createdAt: string;
  readonly emoji: string[];
}

export interface Project {
  readonly path: string;
  readonly merges: Map<number, Merge>;
  readonly notes: Note[];
  readonly statuses: { sha: string; name: string; state: string; description: string; target_url?: string }[];
  readonly deployments: { id: number; sha: string; status: string; environment: number; ref: string }[];
  readonly environments: { id: number; name: string; state: string; external_url?: string; tier?: string }[];
  readonly hooks: Record<string, unknown>[];
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

const PEOPLE: Readonly<Record<Person, { readonly id: number; readonly level?: number }>> = {
  stackling: { id: 2, level: 40 },
  ada: { id: 3, level: 30 },
  mallory: { id: 4 },
  guest: { id: 5, level: 10 },
};
const PROJECT_ID = 7;
const NOT_FOUND: Answer = { status: 404, body: { message: "404 Not found" } };

export function gitlabRoutes({
  project,
  source,
  url,
}: {
  readonly project: Project;
  readonly source: TestRepository;
  readonly url: string;
}): (asked: Asked) => Promise<Answer> {
  const userOf = (username: Person) => ({ id: PEOPLE[username].id, username, name: username, state: "active" });
  const show = (merge: Merge) => ({
    id: 100 + merge.iid,
    iid: merge.iid,
    project_id: PROJECT_ID,
    title: merge.title,
    state: merge.state,
    draft: merge.draft,
    description: merge.description ?? null,
    author: userOf(merge.by),
    labels: merge.labels,
    sha: merge.headSha,
    source_branch: merge.gitBranch,
    target_branch: "main",
    source_project_id: merge.fromFork ? 8 : PROJECT_ID,
    target_project_id: PROJECT_ID,
    user_notes_count: project.notes.filter(({ iid }) => iid === merge.iid).length,
    web_url: `${url}/${project.path}/-/merge_requests/${merge.iid}`,
    created_at: merge.createdAt,
    merged_at: merge.state === "merged" ? "2026-11-22T05:46:40.000Z" : null,
    updated_at: merge.updatedAt,
  });
  const showNote = ({ id, body, by, system, type, createdAt }: Note) => ({
    id,
    body,
    author: userOf(by),
    system,
    type: type ?? null,
    noteable_type: "MergeRequest",
    created_at: createdAt,
    updated_at: createdAt,
  });
  const filesOf = async ({ baseSha, headSha }: Merge) => {
    const out = await source.git("-c", "core.quotepath=false", "diff", "--name-status", "-M", `${baseSha}..${headSha}`);
    return out.split("\n").flatMap((line) => {
      const [, from, to = from] = line.split("\t");
      return from ? [{ old_path: from, new_path: to, diff: "" }] : [];
    });
  };
  const commitOf = (gitRef: string) =>
    source.git("rev-parse", "--quiet", "--verify", "--end-of-options", `${gitRef}^{commit}`).catch(() => undefined);
  const environmentOf = (name: string) => {
    const known = project.environments.find((one) => one.name === name);
    if (known) return Object.assign(known, { state: "available" });
    const made = { id: 50 + project.environments.length, name, state: "available" };
    project.environments.push(made);
    return made;
  };

  type Route = readonly [RegExp, (asked: Asked, ...groups: string[]) => Answer | Promise<Answer>];
  const mergeNamed = (iid: string | undefined) => project.merges.get(Number(iid));
  const routes: readonly Route[] = [
    [/^GET $/, () => ({ body: projectBody(project, url) })],
    [
      /^GET \/merge_requests$/,
      ({ query }) =>
        paged([...project.merges.values()].filter(({ state }) => state === query.get("state")).map(show), query),
    ],
    [
      /^GET \/merge_requests\/(\d+)$/,
      async (_asked, iid) => {
        const merge = mergeNamed(iid);
        if (!merge) return NOT_FOUND;
        const changes_count = merge.changesCount ?? String((await filesOf(merge)).length);
        return {
          body: { ...show(merge), diff_refs: { base_sha: merge.baseSha, head_sha: merge.headSha }, changes_count },
        };
      },
    ],
    [
      /^GET \/merge_requests\/(\d+)\/diffs$/,
      async ({ query }, iid) => {
        const merge = mergeNamed(iid);
        return merge ? paged(await filesOf(merge), query) : NOT_FOUND;
      },
    ],
    [
      /^GET \/merge_requests\/(\d+)\/notes$/,
      ({ query }, iid) => {
        const notes = project.notes.filter((note) => note.iid === Number(iid));
        const sorted = query.get("sort") === "desc" ? notes.toReversed() : notes;
        return mergeNamed(iid) ? paged(sorted.map(showNote), query) : NOT_FOUND;
      },
    ],
    [
      /^POST \/merge_requests\/(\d+)\/notes$/,
      ({ body }, iid) => {
        if (!mergeNamed(iid)) return NOT_FOUND;
        const at = new Date().toISOString();
        const id = 1_000 + project.notes.length;
        const note: Note = {
          id,
          iid: Number(iid),
          body: textIn(body, "body"),
          by: "stackling",
          system: false,
          createdAt: at,
          emoji: [],
        };
        project.notes.push(note);
        return { status: 201, body: showNote(note) };
      },
    ],
    [
      /^PUT \/merge_requests\/(\d+)\/notes\/(\d+)$/,
      ({ body }, iid, id) => {
        const note = project.notes.find((one) => one.id === Number(id) && one.iid === Number(iid));
        if (!note) return NOT_FOUND;
        if (note.by !== "stackling") return { status: 403, body: { message: "403 Forbidden" } };
        note.body = textIn(body, "body");
        return { body: showNote(note) };
      },
    ],
    [
      /^POST \/merge_requests\/(\d+)\/notes\/(\d+)\/award_emoji$/,
      ({ body }, iid, id) => {
        const note = project.notes.find((one) => one.id === Number(id) && one.iid === Number(iid));
        const name = textIn(body, "name");
        // GitLab's own answer to one that is there already.
        if (!note || note.emoji.includes(name))
          return { status: 404, body: { message: "404 Award Emoji Name has already been taken Not Found" } };
        note.emoji.push(name);
        return { status: 201, body: { id: 1, name } };
      },
    ],
    [
      /^GET \/repository\/commits\/([^/]+)$/,
      async (_asked, gitRef = "") => {
        const id = await commitOf(gitRef);
        return id ? { body: { id, short_id: id.slice(0, 8) } } : NOT_FOUND;
      },
    ],
    [
      /^GET \/repository\/files\/([^/]+)$/,
      async ({ query }, file = "") => {
        const gitRef = query.get("ref") ?? "main";
        const id = await commitOf(gitRef);
        const text = await source.git("cat-file", "blob", `${id}:${file}`).catch(() => undefined);
        if (text === undefined) return NOT_FOUND;
        // The helper cuts the last line break off.
        const content = Buffer.from(`${text}\n`);
        return {
          body: { file_path: file, size: content.length, encoding: "base64", content: content.toString("base64") },
        };
      },
    ],
    [
      /^GET \/members\/all\/(\d+)$/,
      (_asked, id) => {
        const [name, person] = Object.entries(PEOPLE).find(([, one]) => one.id === Number(id)) ?? [];
        if (!person?.level) return NOT_FOUND;
        return { body: { id: person.id, username: name, state: "active", access_level: person.level } };
      },
    ],
    [
      /^POST \/statuses\/([0-9a-f]+)$/,
      async ({ body }, sha = "") => {
        if (!(await commitOf(sha))) return NOT_FOUND;
        const [name, state] = [textIn(body, "name"), textIn(body, "state")];
        const last = project.statuses.findLast((one) => one.sha === sha && one.name === name);
        if (last?.state === state) {
          return { status: 400, body: { message: `Cannot transition status via :${state} from :${state}` } };
        }
        const made = {
          sha,
          name,
          state,
          description: textIn(body, "description"),
          target_url: textIn(body, "target_url"),
        };
        project.statuses.push(made);
        return { status: 201, body: { id: project.statuses.length, ...made } };
      },
    ],
    [
      /^POST \/deployments$/,
      ({ body }) => {
        const environment = environmentOf(textIn(body, "environment"));
        if (/[^\w./${} -]/.test(environment.name)) return { status: 400, body: { message: "name is invalid" } };
        const made = {
          id: 900 + project.deployments.length,
          sha: textIn(body, "sha"),
          ref: textIn(body, "ref"),
          status: textIn(body, "status"),
        };
        project.deployments.push({ ...made, environment: environment.id });
        return { status: 201, body: { ...made, environment } };
      },
    ],
    [
      /^PUT \/deployments\/(\d+)$/,
      ({ body }, id) => {
        const found = project.deployments.find((one) => one.id === Number(id));
        if (!found) return NOT_FOUND;
        if (found.status === "success") return { status: 400, body: { message: "Status cannot transition" } };
        found.status = textIn(body, "status");
        return { body: { ...found, environment: project.environments.find((one) => one.id === found.environment) } };
      },
    ],
    [
      /^PUT \/environments\/(\d+)$/,
      ({ body }, id) => {
        const found = project.environments.find((one) => one.id === Number(id));
        if (!found) return NOT_FOUND;
        Object.assign(found, body);
        return { body: found };
      },
    ],
    [
      /^POST \/environments\/(\d+)\/stop$/,
      (_asked, id) => {
        const found = project.environments.find((one) => one.id === Number(id));
        if (!found) return NOT_FOUND;
        found.state = "stopped";
        return { body: found };
      },
    ],
    [/^GET \/hooks$/, () => ({ body: project.hooks })],
    [
      /^POST \/hooks$/,
      ({ body }) => {
        const made = { id: project.hooks.length + 1, alert_status: "executable", ...Object(body) };
        project.hooks.push(made);
        return { status: 201, body: made };
      },
    ],
  ];

  return async (asked) => {
    const { pathname } = new URL(asked.path, url);
    const at = pathname.replace(/^\/api\/v4/, "");
    if (at === "/version") return { body: { version: "17.11.1-ee", revision: "0" } };
    if (at === "/user") return { body: userOf("stackling") };
    if (at === "/users") {
      const name = asked.query.get("username") ?? "";
      return { body: Object.hasOwn(PEOPLE, name) ? [userOf(name as Person)] : [] };
    }
    const prefix = `/projects/${encodeURIComponent(project.path)}`;
    if (!at.startsWith(prefix)) return NOT_FOUND;
    const what = `${asked.method} ${at.slice(prefix.length)}`;
    for (const [pattern, answer] of routes) {
      const found = pattern.exec(what);
      if (found) return answer(asked, ...found.slice(1).map(decodeURIComponent));
    }
    return NOT_FOUND;
  };
}

function projectBody({ path }: Project, url: string) {
  return {
    id: PROJECT_ID,
    path_with_namespace: path,
    default_branch: "main",
    web_url: `${url}/${path}`,
    permissions: { project_access: { access_level: 40 }, group_access: null },
  };
}

/** As GitLab pages: the number of the next page, or nothing in it. */
function paged(all: readonly unknown[], query: URLSearchParams): Answer {
  const [page, size] = [Number(query.get("page") ?? 1), Number(query.get("per_page") ?? 20)];
  const hasMore = all.length > page * size;
  return {
    body: all.slice((page - 1) * size, page * size),
    headers: { "x-next-page": hasMore ? String(page + 1) : "" },
  };
}

function textIn(body: unknown, key: string): string {
  const value = (Object(body) as Record<string, unknown>)[key];
  return typeof value === "string" ? value : "";
}
