import { type IncomingHttpHeaders, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Somebody at a preview's link: dials 127.0.0.1 with the Host header and keeps cookies, as a browser would. */
export interface Visitor {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Submits a form; redirects are not followed. */
  post(path: string, form: Readonly<Record<string, string>>): Promise<Answer>;
}

export function visitorOf(url: string): Visitor {
  const { host, port } = new URL(url);
  const cookies = new Map<string, string>();

  async function ask(path: string, method: string, headers: Readonly<Record<string, string>>, body = "") {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await dial(Number(port), {
      path,
      method,
      headers: { host, ...(cookie && { cookie }), ...headers },
      body,
    });
    for (const set of answer.headers["set-cookie"] ?? []) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    return answer;
  }

  return {
    get: (path, headers = {}) => ask(path, "GET", headers),
    post: (path, form) =>
      ask(
        path,
        "POST",
        { "content-type": "application/x-www-form-urlencoded", origin: new URL(url).origin },
        new URLSearchParams(form).toString(),
      ),
  };
}

/** One request on a connection of its own to 127.0.0.1. */
export function dial(
  port: number,
  call: {
    readonly path: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
): Promise<Answer> {
  const { path, method = "GET", headers = {}, body = "" } = call;
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
