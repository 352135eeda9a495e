/** Git over HTTP as GitHub serves it: git's own CGI program behind basic authentication. */
import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";

export interface GitServer {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function isGitPath(path: string): boolean {
  return /^\/[^/]+\/[^/]+\.git\//.test(path);
}

/** @param root Folder that holds `acme/shop.git`. */
export function createGitServer({
  root,
  isKnown,
}: {
  readonly root: string;
  readonly isKnown: (token: string) => boolean;
}): GitServer {
  return {
    async answer(request, response) {
      const [, encoded = ""] = /^Basic (.+)$/i.exec(request.headers.authorization ?? "") ?? [];
      const token = Buffer.from(encoded, "base64").toString().split(":")[1] ?? "";
      if (!isKnown(token)) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end("who are you?\n");
        return;
      }
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
      const child = spawn("git", ["http-backend"], {
        stdio: ["pipe", "pipe", "ignore"],
        env: {
          PATH: process.env.PATH,
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: "1",
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_CONFIG_NOSYSTEM: "1",
          REMOTE_USER: "x-access-token",
          REQUEST_METHOD: request.method ?? "GET",
          PATH_INFO: pathname,
          QUERY_STRING: searchParams.toString(),
          CONTENT_TYPE: request.headers["content-type"] ?? "",
          HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
          HTTP_GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        },
      });
      child.stdin.on("error", () => {});
      request.pipe(child.stdin);
      const chunks: Buffer[] = [];
      for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
      const whole = Buffer.concat(chunks);
      const end = whole.indexOf("\r\n\r\n");
      const headers = whole.subarray(0, end).toString("latin1").split("\r\n");
      let status = 200;
      for (const line of headers) {
        const [name = "", value = ""] = line.split(/: (.*)/s);
        if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
        else if (name) response.setHeader(name, value);
      }
      response.statusCode = status;
      response.end(whole.subarray(end + 4));
    },
  };
}
