import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Announcement, Forge, PullRequest, PullRequestComment } from "../../../service/forges/forge.ts";
import { createGiteaForge, giteaForge } from "../../../service/forges/gitea.ts";
import { createGiteaClient } from "../../../service/forges/gitea-client.ts";
import { type Replay, recordedAnswer, startReplay } from "../../support/gitea/replay.ts";

const REPOSITORY = { name: "shop", path: "acme/shop" };
const WEBHOOK_URL = "http://localhost:4000/webhooks/gitea";
const TOKEN = "0123456789abcdef";

describe("Gitea, as recorded", () => {
  let server: Replay;
  let forge: Forge;
  beforeEach(async () => {
    server = await startReplay();
    forge = connect();
  });
  afterEach(() => server.stop());

  interface Choice {
    readonly bots?: readonly string[];
    readonly secrets?: readonly string[];
    readonly make?: boolean;
  }
  const connect = ({ bots = [], secrets = ["s3cret"], make = true }: Choice = {}) =>
    createGiteaForge(
      { client: createGiteaClient({ url: server.url, token: TOKEN }) },
      {
        token: TOKEN,
        cloneUrl: `${server.url}/{path}.git`,
        bots: new Set(bots),
        hook: { webhookUrl: WEBHOOK_URL, serverUrl: server.url, secrets, make },
      },
    );
  const change = (name: string, edit: (found: Record<string, unknown>) => void) => {
    const found = JSON.parse(recordedAnswer(name)) as Record<string, unknown>;
    edit(found);
    return JSON.stringify(found);
  };
  const readOne = async (of = forge): Promise<PullRequest> => {
    const read = await of.read(REPOSITORY, 1);
    assert.ok(read.kind === "found", JSON.stringify(read));
    return read.pullRequest;
  };

  it("shows a pull request with the addresses of its commits", async () => {
    const { title, author, trustedAuthor, fork, headRef, baseRef, url, commitUrl, reviewUrl, repositoryId } =
      await readOne();
    assert.deepEqual(
      [title, author, trustedAuthor, fork, headRef, baseRef, repositoryId],
      ["Show the cart total", "ada", true, false, "cart", "main", "1"],
    );
    const origin = new URL(url ?? "").origin;
    assert.equal(url, `${origin}/acme/shop/pulls/1`);
    assert.equal(commitUrl, `${origin}/acme/shop/commit/{sha}`);
    assert.equal(reviewUrl, `${origin}/acme/shop/pulls/1/commits/{sha}`);
  });

  it("says when it was merged", async () => {
    assert.equal((await readOne()).mergedAt, undefined);
    const merge = { state: "closed", merged: true, merged_at: "2026-11-22T06:46:40+01:00" };
    server.answer(/^GET \/pulls\/1$/, { body: change("pull", (found) => Object.assign(found, merge)) });
    assert.equal((await readOne()).mergedAt, "2026-11-22T05:46:40.000Z");
  });

  for (const status of [401, 403, 404, 410, 429, 500, 502]) {
    it(`says unreachable when the server answers ${status}`, async () => {
      server.answer(/^GET \/pulls/, { status, body: "{}" });
      assert.equal((await forge.read(REPOSITORY, 1)).kind, "unreachable");
      assert.equal((await forge.list(REPOSITORY)).kind, "unreachable");
    });
  }

  for (const body of ["<html>sign in</html>", "[]", "{}", "null", "", '{"number":1,"state":"closed"}']) {
    it(`says unreachable when the answer is ${JSON.stringify(body)}`, async () => {
      server.answer(/^GET \/pulls\/1$/, { body });
      assert.equal((await forge.read(REPOSITORY, 1)).kind, "unreachable");
    });
  }

  it("says unreachable when one page of a list fails, or one of its pull requests is half", async () => {
    server.answer(/^GET \/pulls\?.*page=1$/, {
      body: `[${recordedAnswer("pull")}]`,
      headers: { "x-total-count": "2" },
    });
    server.answer(/^GET \/pulls\?.*page=2$/, { status: 502 });
    assert.equal((await forge.list(REPOSITORY)).kind, "unreachable");
    server.answer(/^GET \/pulls\?.*page=2$/, { body: "[null]", headers: { "x-total-count": "2" } });
    assert.equal((await forge.list(REPOSITORY)).kind, "unreachable");
  });

  it("reads on to the end of a list whose pages are shorter than asked for", async () => {
    const numbered = (number: number) => change("pull", (found) => Object.assign(found, { number }));
    for (const page of [1, 2]) {
      const headers = { "x-total-count": "2" };
      server.answer(new RegExp(`^GET /pulls\\?.*page=${page}$`), { body: `[${numbered(page)}]`, headers });
    }
    const list = await forge.list(REPOSITORY);
    assert.ok(list.kind === "found");
    assert.deepEqual(
      list.pullRequests.map(({ number }) => number),
      [1, 2],
    );
  });

  it("trusts whom the server lets write", async () => {
    for (const [permission, trusted] of [
      ["owner", true],
      ["admin", true],
      ["write", true],
      ["read", false],
      ["none", false],
    ] as const) {
      server.answer(/\/permission$/, { body: JSON.stringify({ permission }) });
      // A forge of its own, because an answer is remembered for a while.
      assert.equal((await readOne(connect())).trustedAuthor, trusted, permission);
    }
    server.answer(/\/permission$/, { status: 404 });
    assert.equal((await readOne(connect())).trustedAuthor, false);
    server.answer(/\/permission$/, { status: 502 });
    assert.equal((await connect().read(REPOSITORY, 1)).kind, "unreachable");
  });

  it("takes who can be assigned for likely to write where the token may not ask, and for no more", async () => {
    server.answer(/\/permission$/, { status: 403 });
    const { commands } = forge;
    assert.ok(commands);
    const may = (author: string, certain: boolean) => {
      const comment: PullRequestComment = { id: 1, author, createdAt: "", body: "" };
      return commands.mayCommand(REPOSITORY, comment, { certain });
    };
    assert.equal((await readOne()).trustedAuthor, true);
    assert.equal(await may("ada", true), false);
    assert.equal(await may("mallory", false), false);
    assert.equal(await may("Acme", true), true, "its owner");
  });

  it("takes the server's own accounts and named machine users for bots, and Ghost for nobody", async () => {
    const by = (id: number, login: string) => {
      server.answer(/^GET \/pulls\/1$/, {
        body: change("pull", (found) => Object.assign(found, { user: { id, login } })),
      });
      return readOne(connect({ bots: ["renovate"] }));
    };
    const shown = async (id: number, login: string) => {
      const { author, bot, trustedAuthor } = await by(id, login);
      return [author, bot, trustedAuthor];
    };
    assert.deepEqual(await shown(-2, "gitea-actions"), ["ghost", true, false]);
    assert.deepEqual(await shown(-1, "Ghost"), ["ghost", false, false]);
    assert.deepEqual(await shown(9, "Renovate"), ["Renovate", true, false]);
  });

  it("reads in the description what it is to be previewed with", async () => {
    const body = "A cart.\n\nPreview-With: acme/api#7\n";
    server.answer(/^GET \/pulls\/1$/, { body: change("pull", (found) => Object.assign(found, { body })) });
    assert.deepEqual((await readOne()).previewWith, ["acme/api#7"]);
  });

  it("knows a draft by its title on servers that do not say", async () => {
    const shown = async (draft: boolean | undefined, title: string) => {
      const body = change("pull", (found) => Object.assign(found, { draft, title }));
      server.answer(/^GET \/pulls\/1$/, { body });
      return (await readOne()).draft;
    };
    assert.equal(await shown(true, "Cart"), true);
    assert.equal(await shown(undefined, "WIP: Cart"), true);
    assert.equal(await shown(undefined, "[wip] Cart"), true);
    assert.equal(await shown(undefined, "Cart"), false);
    assert.equal(await shown(false, "WIP: Cart"), false, "the server's word counts");
  });

  it("is moved by a second comment of the same second", async () => {
    const before = (await readOne()).updatedAt;
    server.answer(/^GET \/pulls\/1$/, {
      body: change("pull", (found) => Object.assign(found, { comments: Number(found.comments) + 1 })),
    });
    assert.ok((await readOne()).updatedAt > before);
  });

  it("reads nothing that a bot, we or somebody on another forge said as that account's word", async () => {
    const comment = (id: number, more: object) => ({
      id,
      body: "/preview keep",
      user: { id: 4, login: "ada" },
      original_author: "",
      created_at: "2026-11-22T05:00:00Z",
      ...more,
    });
    server.answer(/^GET \/issues\/1\/comments/, {
      body: JSON.stringify([
        comment(4, { original_author: "eve" }),
        comment(1, {}),
        comment(2, { user: { id: -2, login: "gitea-actions" } }),
        comment(3, { body: "<!-- stackling:shop#1 -->\n/preview keep" }),
      ]),
    });
    const read = await forge.commands?.comments(REPOSITORY, 1, { since: "2026-11-22T05:00:00.700Z", after: 0 });
    assert.ok(read?.kind === "found");
    assert.deepEqual(
      read.comments.map(({ id, author }) => [id, author]),
      [
        [1, "ada"],
        [4, undefined],
      ],
    );
    assert.deepEqual(read.last, { id: 4, at: "2026-11-22T05:00:00.000Z" });
  });

  describe("naming changed files", () => {
    const changed = async () => forge.changedPaths?.(REPOSITORY, await readOne());

    it("asks nothing again while head and base are the same", async () => {
      assert.deepEqual(await changed(), { kind: "found", paths: ["cart.txt"] });
      const asked = server.asked.filter((what) => what.includes("/files")).length;
      await changed();
      assert.equal(server.asked.filter((what) => what.includes("/files")).length, asked);
    });

    it("says unreachable while the server still compares the commit before", async () => {
      server.answer(/\/git\/refs\//, {
        body: recordedAnswer("refs").replace(/"sha": "[0-9a-f]{40}"/, `"sha": "${"e".repeat(40)}"`),
      });
      assert.equal((await changed())?.kind, "unreachable");
    });

    it("takes the head's ref alone or in a list", async () => {
      server.answer(/\/git\/refs\//, { body: JSON.stringify(JSON.parse(recordedAnswer("refs"))[0]) });
      assert.equal((await changed())?.kind, "found");
    });

    it("says tooMany at once where the server counts more than are read", async () => {
      server.answer(/\/files/, { body: recordedAnswer("files"), headers: { "x-total-count": "1001" } });
      assert.deepEqual(await changed(), { kind: "tooMany" });
    });

    it("believes an empty list when the pull request says the same, and not before", async () => {
      server.answer(/\/files/, { body: "[]", headers: { "x-total-count": "0" } });
      assert.equal((await changed())?.kind, "unreachable");
      server.answer(/^GET \/pulls\/1$/, {
        body: change("pull", (found) => Object.assign(found, { changed_files: 0 })),
      });
      assert.deepEqual(await changed(), { kind: "found", paths: [] });
    });
  });

  describe("announcing", () => {
    const announcement: Announcement = {
      key: "shop#1",
      condition: "Ready",
      reason: "Healthy",
      summary: "Live.",
      comment: "<!-- stackling:shop#1 -->\nready",
      headSha: "a".repeat(40),
      environmentUrl: "https://pr-1-shop.preview.acme.dev",
    };
    const announce = (wish: Partial<Announcement> = {}, handles = {}) =>
      forge.announce(REPOSITORY, { number: 1, headSha: announcement.headSha }, { ...announcement, ...wish }, handles);

    it("writes one comment and one status, and nothing again while nothing changed", async () => {
      const handles = await announce();
      assert.equal(handles.failed, undefined);
      assert.equal(handles.comment, "77");
      const status = server.written.find(([what]) => what.includes("/statuses/"))?.[1];
      assert.deepEqual(status, {
        context: "stackling/shop",
        state: "success",
        description: "Live.",
        target_url: "https://pr-1-shop.preview.acme.dev",
      });
      const count = server.written.length;
      assert.deepEqual(await announce({}, handles), handles);
      assert.equal(server.written.length, count);
    });

    it("says of a stage on its commit, under the stage's name, and comments nowhere", async () => {
      const stage = { name: "production", production: true };
      const key = "shop:production";
      const handles = await forge.announceStage?.(REPOSITORY, { ...announcement, key, stage }, {});
      assert.equal(handles?.failed, undefined);
      assert.deepEqual(
        server.written.map(([what, body]) => [what, (body as { context: string }).context]),
        [[`POST /statuses/${announcement.headSha}`, "stackling/shop/production"]],
      );
    });

    it("edits none that somebody else began with our mark", async () => {
      const body = JSON.stringify([{ id: 5, body: announcement.comment, user: { login: "mallory" } }]);
      server.answer(/^GET \/issues\/1\/comments/, { body });
      await announce();
      assert.ok(server.asked.includes("POST /issues/1/comments"));
      assert.ok(!server.asked.some((what) => what.startsWith("PATCH")));
    });

    it("writes the status all the same when the comment is refused or fails, and the comment when asked again", async () => {
      server.answer(/^POST \/issues\/1\/comments$/, { status: 502 });
      const handles = await announce();
      assert.match(handles.failed ?? "", /writing the comment on pull request 1 of "acme\/shop": Gitea answered 502/);
      assert.ok(server.asked.some((what) => what.startsWith("POST /statuses/")));
      server.answer(/^POST \/issues\/1\/comments$/, { status: 403 });
      assert.equal((await announce({}, handles)).commentRefused, "403");
    });
  });

  describe("its webhook", () => {
    const ours = (more: object = {}) =>
      JSON.stringify([
        {
          id: 1,
          active: true,
          events: ["pull_request_only", "pull_request_sync", "push"],
          config: { url: WEBHOOK_URL, content_type: "json" },
          ...more,
        },
      ]);
    const made = () => server.written.filter(([what]) => what === "POST /hooks");

    it("is made where there is none to us, with the first secret", async () => {
      const found = await forge.ensureWebhook?.(REPOSITORY);
      assert.equal(found?.ok, true);
      assert.deepEqual(
        made().map(([, body]) => (body as { config: unknown }).config),
        [{ url: WEBHOOK_URL, content_type: "json", secret: "s3cret" }],
      );
      assert.ok(!JSON.stringify(found).includes("s3cret"));
    });

    it("is not made twice, nor by doctor, nor where the operator has another", async () => {
      await forge.check?.(REPOSITORY);
      await connect({ make: false }).ensureWebhook?.(REPOSITORY);
      server.answer(/^GET \/hooks/, { body: ours() });
      assert.equal((await forge.ensureWebhook?.(REPOSITORY))?.ok, true);
      assert.deepEqual(made(), []);
    });

    it("is told to be wrong when it is off, a form, or hears too little", async () => {
      const config = { url: WEBHOOK_URL, content_type: "form" };
      for (const wrong of [{ active: false }, { events: ["push"] }, { config }]) {
        server.answer(/^GET \/hooks/, { body: ours(wrong) });
        assert.equal((await forge.ensureWebhook?.(REPOSITORY))?.ok, false, JSON.stringify(wrong));
      }
      assert.deepEqual(made(), []);
    });

    it("is not asked of a server that cannot call this machine, nor without a secret", async () => {
      const far = createGiteaForge(
        { client: createGiteaClient({ url: server.url, token: TOKEN }) },
        {
          token: TOKEN,
          cloneUrl: "",
          bots: new Set(),
          hook: {
            webhookUrl: WEBHOOK_URL,
            serverUrl: "https://git.acme.dev",
            secrets: ["s3cret"],
            make: true,
          },
        },
      );
      assert.match((await far.ensureWebhook?.(REPOSITORY))?.what ?? "", /git\.acme\.dev cannot call this machine/);
      const without = connect({ secrets: [] });
      assert.equal(without.verify, undefined);
      assert.match((await without.ensureWebhook?.(REPOSITORY))?.what ?? "", /no `webhookSecrets`/);
      assert.deepEqual(made(), []);
    });

    it("is told to be unknown where only administrators may ask", async () => {
      server.answer(/^GET \/hooks/, { status: 403 });
      const found = await forge.ensureWebhook?.(REPOSITORY);
      assert.match(`${found?.ok} ${found?.what}`, /true .*only its administrators may ask/);
    });
  });

  it("tells doctor which server it is, and what is too old", async () => {
    const says = async (version: string) => {
      server.answer(/^GET \/version$/, { body: JSON.stringify({ version }) });
      const [found] = (await forge.check?.(REPOSITORY)) ?? [];
      return `${found?.ok} ${found?.what.replace(server.url, "it")}`;
    };
    assert.equal(await says("1.26.0"), "true it is Gitea 1.26.0");
    assert.equal(await says("11.0.3+gitea-1.22.0"), "true it is Forgejo 11.0.3");
    assert.equal(await says("1.19.4"), "false it is Gitea 1.19.4, which is too old");
    assert.equal(await says("development"), "true it is Gitea development");
  });

  it("tells doctor what the token lacks", async () => {
    const repository = (permissions: object) =>
      server.answer(/^GET $/, { body: change("repository", (found) => Object.assign(found, { permissions })) });
    const wrong = async () =>
      ((await forge.check?.(REPOSITORY)) ?? []).filter(({ remedy }) => remedy).map(({ what }) => what);
    server.answer(/^GET \/hooks/, { status: 403 });
    repository({ admin: false, push: true, pull: true });
    assert.ok((await wrong()).some((what) => what.includes("may not ask who may write")));
    repository({ admin: false, push: false, pull: true });
    assert.ok((await wrong()).some((what) => what.includes("may not write commit statuses")));
  });

  it("takes an address with a slash at its end, and refuses what is none", () => {
    const token = { env: "X" };
    assert.equal(
      giteaForge.options.parse({ url: "https://git.acme.dev/gitea/", token }).url,
      "https://git.acme.dev/gitea",
    );
    for (const url of [
      "git.acme.dev",
      "ftp://git.acme.dev",
      "https://ada:word@git.acme.dev",
      "https://git.acme.dev/?x",
    ]) {
      assert.throws(() => giteaForge.options.parse({ url, token }), url);
    }
  });
});
