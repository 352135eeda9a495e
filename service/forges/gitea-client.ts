/** Talks to the REST API of Gitea and Forgejo: repositories by their path, and who we are. */
import { z } from "zod";
import { unreachable } from "./answers.ts";
import { repositoryUrl } from "./repository-url.ts";
import { createRestClient, type RestCall, type RestServer } from "./rest-client.ts";

export interface GiteaCall extends RestCall {
  /** `acme/shop`; `path` is below `/repos/acme/shop`. */
  readonly repository: string;
}

export interface GiteaAnswer {
  readonly status: number;
  /** Undefined for an answer that is no success, and for one without a body. */
  readonly data: unknown;
  /** Of all pages together, where the server says so (`X-Total-Count`). */
  readonly total?: number;
}

export interface GiteaClient {
  /** One call. Throws `StacklingError` "Unreachable" for any status that is neither 2xx nor named. */
  call(call: GiteaCall): Promise<GiteaAnswer>;
  /** One call below `/api/v1`. */
  send(call: RestCall): Promise<GiteaAnswer>;
  /** Version of the server; Forgejo says its own behind the Gitea that it answers as: `11.0.3+gitea-1.22.0`. */
  version(): Promise<string>;
  /** Login that our comments bear; undefined where the token may not ask (scope `read:user`). */
  login(): Promise<string | undefined>;
}

/** What a server answers when it will not do something, however often it is asked. */
export const REFUSED = [400, 403, 404, 409, 410, 413, 422, 423];

/** A client for one token. `url` is where people find the server, without a slash at its end. */
export function createGiteaClient({
  url,
  token,
  watch,
}: { readonly url: string; readonly token: string } & Pick<RestServer, "watch">): GiteaClient {
  const credential = async () => ({ authorization: `token ${token}` });
  const send = createRestClient({ api: `${url}/api/v1`, name: "Gitea", credential, watch });
  let login: Promise<string | undefined> | undefined;

  return {
    send,
    async call({ repository, path, ...call }) {
      const { status, data, headers } = await send({ ...call, path: `${repositoryUrl(repository, "Gitea")}${path}` });
      return { status, data, ...totalOf(headers) };
    },
    async version() {
      const action = "asking for the server's version";
      const { data } = await send({ path: "/version", action });
      const found = z.object({ version: z.string().min(1).max(100) }).safeParse(data);
      if (found.success) return found.data.version;
      throw unreachable(`${action}: the answer is not Gitea's`);
    },
    login() {
      login ??= send({ path: "/user", action: "asking who we are", statuses: [403, 404] }).then(
        ({ data }) => z.object({ login: z.string() }).safeParse(data).data?.login,
      );
      login.catch(() => {
        login = undefined;
      });
      return login;
    },
  };
}

function totalOf(headers: Headers): { readonly total?: number } {
  const said = headers.get("x-total-count");
  return said !== null && /^\d{1,9}$/.test(said) ? { total: Number(said) } : {};
}
