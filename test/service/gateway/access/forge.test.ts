/** Who can do what with a repository, as GitHub tells its owner, writers and readers (REST API, "Get a repository"). */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ForgeLoginOptions } from "../../../../service/config/access-types.ts";
import { forgeDoor } from "../../../../service/gateway/access/forge.ts";
import { forgeKinds } from "../../../../service/gateway/access/forge-kinds.ts";
import { startUpstream } from "../edge.ts";

const CALLBACK = "http://localhost:4000/auth/callback";
const visitor = { address: "127.0.0.1", host: "pr-42-site.localhost", repository: "site" };
const READS = { admin: false, maintain: false, push: false, triage: false, pull: true };
const REPOSITORY: Readonly<Record<string, object>> = {
  owner: { permissions: { ...READS, admin: true, maintain: true, push: true } },
  writer: { permissions: { ...READS, push: true } },
  triager: { permissions: { ...READS, triage: true } },
  reader: { permissions: READS },
  // As it is told to somebody who is nobody there.
  silent: {},
};

describe("a door for those who can do something with the repository", () => {
  let github: Awaited<ReturnType<typeof startUpstream>>;

  before(async () => {
    github = await startUpstream(async (request, response) => {
      response.setHeader("Content-Type", "application/json");
      if (request.url === "/login/oauth/access_token") {
        let body = "";
        for await (const chunk of request) body += String(chunk);
        response.end(JSON.stringify({ access_token: new URLSearchParams(body).get("code"), token_type: "bearer" }));
        return;
      }
      const who = request.headers.authorization?.replace("Bearer ", "") ?? "";
      const found = request.url === "/api/v3/repos/acme/site" ? REPOSITORY[who] : undefined;
      response.statusCode = found ? 200 : 404;
      response.end(JSON.stringify(found ?? { message: "Not Found" }));
    });
  });
  after(() => github.close());

  async function opensTo(who: string, needs: ForgeLoginOptions["needs"]): Promise<boolean> {
    const webUrl = `http://${github.address}`;
    const people = () => undefined;
    const placeOf = () => ({ path: "acme/site", webUrl, apiUrl: `${webUrl}/api/v3`, kind: forgeKinds.github, people });
    const deps = { secret: async () => "s3cret", digest: (text: string) => text, placeOf, forgeLabel: "GitHub" };
    const { signsIn } = forgeDoor(deps, { clientId: "stackling", clientSecret: { env: "S" }, needs });
    assert.ok(signsIn);
    const { kept } = await signsIn.begin({ callback: CALLBACK, state: "s" }, visitor);
    return signsIn.finish(new URL(`${CALLBACK}?code=${who}&state=s`), { ...kept, state: "s" }, visitor);
  }

  it("opens to all who can see it, unless more is asked for", async () => {
    for (const who of Object.keys(REPOSITORY)) assert.equal(await opensTo(who, "read"), true, who);
    assert.equal(await opensTo("stranger", "read"), false);
  });

  it("opens to those alone who can write to it, where that is asked for", async () => {
    const admitted = [];
    for (const who of [...Object.keys(REPOSITORY), "stranger"]) if (await opensTo(who, "write")) admitted.push(who);
    assert.deepEqual(admitted, ["owner", "writer"]);
  });
});
