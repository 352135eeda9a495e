/** Talks to GitLab's REST API (version 4): projects by their path, pages by their header. */
import { z } from "zod";
import { unreachable } from "./answers.ts";
import { createRestClient, type RestAnswer, type RestCall, type RestServer } from "./rest-client.ts";

export interface GitlabCall extends RestCall {
  /** `acme/shop`, or `acme/web/shop` in a subgroup. */
  readonly repository: string;
}

export interface GitlabClient {
  /** One call below `/projects/ID`. Throws `StacklingError` "Unreachable" for any status that is neither 2xx nor named. */
  call(call: GitlabCall): Promise<RestAnswer>;
  /** One call below `/api/v4`. */
  send(call: RestCall): Promise<RestAnswer>;
  /** `17.11.1-ee` */
  version(): Promise<string>;
  /** Our own account; undefined where the token may not ask (scope `read_user` or `api`). */
  me(): Promise<GitlabUser | undefined>;
}

export const gitlabUser = z.object({ id: z.int().positive(), username: z.string().min(1) });
export type GitlabUser = z.infer<typeof gitlabUser>;

/** What GitLab answers when it will not do something, however often it is asked. */
export const REFUSED = [400, 403, 404, 405, 409, 410, 413, 422];

/** `url` is where people find the server, without a slash at its end. */
export function createGitlabClient({
  url,
  token,
  watch,
}: Pick<RestServer, "watch"> & {
  readonly url: string;
  /** Asked before each call: that of an OAuth application ends after two hours. */
  readonly token: () => Promise<string>;
}): GitlabClient {
  // As OAuth says it, which GitLab takes for its own tokens too (docs, "REST API authentication").
  const credential = async () => ({ authorization: `Bearer ${await token()}` });
  const send = createRestClient({ api: `${url}/api/v4`, name: "GitLab", credential, watch });
  let me: Promise<GitlabUser | undefined> | undefined;

  return {
    send,
    call: ({ repository, path, ...call }) => send({ ...call, path: `${placeOf(repository)}${path}` }),
    async version() {
      const action = "asking for the server's version";
      const { data } = await send({ path: "/version", action });
      const found = z.object({ version: z.string().min(1).max(100) }).safeParse(data);
      if (found.success) return found.data.version;
      throw unreachable(`${action}: the answer is not GitLab's`);
    },
    me() {
      me ??= send({ path: "/user", action: "asking who we are", statuses: [403, 404] }).then(
        ({ data }) => gitlabUser.safeParse(data).data,
      );
      me.catch(() => {
        me = undefined;
      });
      return me;
    },
  };
}

/** Number of the page behind this one; undefined at the end (GitLab docs, "Pagination"). */
export function nextPage({ headers }: Pick<RestAnswer, "headers">): number | undefined {
  const said = headers.get("x-next-page");
  return said !== null && /^[1-9]\d{0,6}$/.test(said) ? Number(said) : undefined;
}

function placeOf(repository: string): string {
  const parts = repository.split("/");
  const isName = (part: string) => /^[\w.-]*[\w-][\w.-]*$/.test(part);
  // Groups lie in groups, twenty deep.
  if (parts.length >= 2 && parts.length <= 22 && parts.every(isName))
    return `/projects/${encodeURIComponent(repository)}`;
  throw unreachable(`reading repository "${repository}": a project of GitLab is written as "group/project"`);
}
