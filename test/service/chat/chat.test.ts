import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { checkChats, createChatSinks } from "../../../service/chat/sinks.ts";
import type { ChatConfig } from "../../../service/config/chat.ts";
import type { Told } from "../../../service/hooks/tables.ts";
import type { Sink } from "../../../service/notify.ts";
import type { Preview, PreviewStatus } from "../../../service/status.ts";
import { aPreview } from "../../support/previews.ts";
import { SIGNING_SECRET, SLACK_TOKEN, startSlack, type TestSlack } from "../../support/slack.ts";

const URLS = { web: "https://pr-42-shop.preview.acme.dev" };
const HOSTILE = "<!here> <https://evil.example|click> *now* `x` @channel";
const SECRETS = { STACKLING_TEST_SLACK: SLACK_TOKEN, STACKLING_TEST_SIGNING: SIGNING_SECRET };
Object.assign(process.env, SECRETS);

let number = 100;
function nextPreview(title = "Show the cart total"): (status?: Partial<PreviewStatus>) => Preview {
  number += 1;
  const mine = number;
  return (status = {}) => aPreview({ number: mine, urls: URLS, title, status });
}

/** With a migrated database, and what people said in comments. */
function rich(preview: Preview, { tables = 1, logged = ["GET /cart 200"] } = {}): Preview {
  const { status, intents } = preview;
  assert.ok(status.live);
  const many = Array.from({ length: tables }, (_, index) => ({
    change: "dropped",
    kind: "table",
    name: `old_${index}`,
  }));
  const changes = [...many, { change: "added", kind: "column", table: "orders", name: "note", to: "text" }];
  const schema = { changes, counts: { added: 1, changed: 0, dropped: tables }, digest: "1f" };
  const said = { at: "2026-11-21T10:05:00.000Z", by: "ada" };
  const answers = [
    { ...said, said: "help", outcome: "done", answer: "the commands are listed below" },
    { ...said, said: "down", by: "mall_ory", outcome: "refused", answer: HOSTILE },
    { ...said, said: "logs", outcome: "done", answer: "its last lines are below", lines: logged },
  ] as const;
  return {
    ...preview,
    status: { ...status, live: { ...status.live, database: { baseline: "shop-masked" } }, outputs: { schema } },
    intents: { ...intents, commands: { since: said.at, answers } },
  };
}

/** Every text of a message, whatever holds it. */
function textsOf(part: unknown): readonly string[] {
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([name, value]) =>
    name === "text" && typeof value === "string" ? [value] : textsOf(value),
  );
}

/** One sink, and what it remembers. */
function sinkOf(
  chat: ChatConfig,
  {
    repositories = [],
    previews = [],
    fallbackUrl,
  }: {
    readonly repositories?: readonly object[];
    readonly previews?: readonly Preview[];
    readonly fallbackUrl?: string;
  } = {},
): Sink & { readonly told: Map<string, Told> } {
  const told = new Map<string, Told>();
  const store = {
    told: async (_place: string, key: string) => told.get(key),
    tell: async (_place: string, key: string, body: Told) => void told.set(key, body),
    current: async () => previews,
  };
  const config = {
    chat: { team: chat },
    repositories: repositories as [],
    scheme: "https",
    domain: "preview.acme.dev",
    fallbackUrl,
  };
  const [sink] = createChatSinks({ store, config: { ...config, scheme: "https" } });
  assert.ok(sink);
  return { ...sink, told };
}

describe("Slack", () => {
  let slack: TestSlack;
  before(async () => {
    slack = await startSlack();
  });
  after(() => slack.stop());

  const bot = (): ChatConfig => ({
    kind: "slack",
    token: { env: "STACKLING_TEST_SLACK" },
    channel: slack.channel,
    signingSecret: { env: "STACKLING_TEST_SIGNING" },
    people: {},
    api: slack.api,
  });
  const about = async (preview: Preview) =>
    (await slack.messages()).filter(({ text }) => text.includes(preview.key.replace("&", "&amp;")));

  it("has one message per preview, changed in place from building to ready, and none for what is the same", async () => {
    const sink = sinkOf(bot());
    const preview = nextPreview();
    const building = {
      condition: "Reconciling",
      reason: "Provisioning",
      message: "Building.",
      live: undefined,
    } as const;
    assert.equal(await sink.write(preview(building)), "written");
    assert.match((await about(preview()))[0]?.text ?? "", /is being built$/);
    assert.equal(await sink.write(preview()), "written");
    assert.equal(await sink.write(preview()), "same");
    const [message, ...more] = await about(preview());
    assert.deepEqual(more, []);
    assert.match(message?.text ?? "", /^✅ shop#\d+ is ready$/);
    assert.ok(message?.edited);
    const blocks = JSON.stringify(message?.blocks);
    for (const said of [
      URLS.web,
      "Show the cart total",
      "*Commit*",
      "*Services*",
      "stackling.extend",
      "Destroy this preview?",
    ])
      assert.ok(blocks.includes(said), `${said} is not in ${blocks}`);
  });

  it("says of what it is part, as the comment does", async () => {
    const preview = nextPreview();
    const links = [{ said: "acme/shop", key: preview().key, headSha: "c".repeat(40) }];
    const web = aPreview({ number: 7, repository: "web", status: { links } });
    await sinkOf(bot(), { previews: [web] }).write(preview());
    const blocks = JSON.stringify((await about(preview()))[0]?.blocks);
    assert.match(blocks, /\*Part of\*\\n<https:\/\/preview\.acme\.dev\/previews\/web%237\|web#7>/);
  });

  it("says what migrations changed and what came of commands, as the comment does", async () => {
    const preview = nextPreview();
    const sink = sinkOf(bot());
    await sink.write(preview());
    await sink.write(rich(preview()));
    const [message] = await about(preview());
    const texts = textsOf(message?.blocks).join("\n");
    for (const said of [
      '*Database schema: 1 dropped, 1 added, against the baseline "shop-masked"*',
      "⚠️ dropped table `old_0`\n• added column `orders.note`: `text`",
      "`/preview down` by @mall\u2060_\u2060ory: not done, &lt;!here&gt;",
      "`/preview logs` by @ada: its last lines are below",
      "The last lines of its log\nGET /cart 200",
    ])
      assert.ok(texts.includes(said), `${said} is not in ${texts}`);
    assert.doesNotMatch(texts, /preview help|<!here/);
  });

  it("is told no more at once than it takes, and of a long log the end", async () => {
    const preview = nextPreview();
    const logged = Array.from({ length: 400 }, (_, line) => `line ${line} ${"x".repeat(90)}`);
    const excerpt = logged.map((line) => `failed ${line}`);
    const failed = preview({ condition: "Stalled", reason: "BuildFailed", message: "m ".repeat(4_000), excerpt });
    await sinkOf(bot()).write(rich(failed, { tables: 60, logged }));
    const texts = textsOf((await about(preview()))[0]?.blocks);
    const length = texts.join("").length;
    assert.ok(length < 10_000, `${length} characters`);
    assert.match(texts.join("\n"), /• and 51 more/);
    assert.match(texts.join("\n"), /^\[left out: \d+ of 400 lines\]\nfailed line \d+(.*\n)+failed line 399 x+$/m);
  });

  it("leads to the operator's address while the preview cannot be had", async () => {
    const preview = nextPreview();
    await sinkOf(bot(), { fallbackUrl: "https://staging.acme.dev" }).write(
      preview({ condition: "Ready", reason: "Paused", awake: false }),
    );
    const texts = textsOf((await about(preview()))[0]?.blocks).join("\n");
    assert.match(texts, /\*Meanwhile\*\n<https:\/\/staging\.acme\.dev\|/);
  });

  it("gets a new message when somebody deleted the one before", async () => {
    const sink = sinkOf(bot());
    const preview = nextPreview();
    await sink.write(preview());
    const [first] = await about(preview());
    await slack.delete(first?.ts ?? "");
    await sink.write(preview({ condition: "Stalled", reason: "BuildFailed", excerpt: ["it broke"] }));
    const [second] = await about(preview());
    assert.match(JSON.stringify(second?.blocks), /rich_text_preformatted.*it broke/);
    assert.notEqual(second?.ts, first?.ts);
  });

  it("takes nothing of a stranger's for a link, a mention or markup", async () => {
    const sink = sinkOf(bot());
    const preview = nextPreview(HOSTILE);
    await sink.write(preview({ condition: "Stalled", reason: "BuildFailed", message: HOSTILE, excerpt: [HOSTILE] }));
    const [message] = await about(preview());
    const { blocks = [] } = message ?? {};
    const mrkdwn = blocks.filter(({ type }) => type === "section").map((block) => JSON.stringify(block));
    assert.ok(mrkdwn.length > 0);
    for (const block of mrkdwn) {
      assert.doesNotMatch(block, /<!|<https:\/\/evil|(?<!\u2060)\*now/);
      assert.match(block, /"verbatim":true/);
    }
  });

  it("has no buttons that nobody could answer, and none on what is gone", async () => {
    const { signingSecret: _none, ...mute } = bot() as Extract<ChatConfig, { kind: "slack" }>;
    const preview = nextPreview();
    const quiet = sinkOf(mute);
    await quiet.write(preview());
    assert.doesNotMatch(JSON.stringify((await about(preview()))[0]?.blocks), /stackling\.(extend|sleep|destroy)/);
    const other = nextPreview();
    const sink = sinkOf(bot());
    await sink.write(other());
    await sink.write(
      other({ condition: "Ready", reason: "Gone", live: undefined, goneAt: "2026-11-22T00:00:00.000Z" }),
    );
    assert.doesNotMatch(JSON.stringify((await about(other()))[0]?.blocks), /stackling\.(extend|sleep|destroy)/);
  });

  it("by an incoming webhook gets a message for each outcome, and none on the way", async () => {
    process.env.STACKLING_TEST_SLACK_WEBHOOK = slack.webhook;
    const sink = sinkOf({
      kind: "slack",
      webhook: { env: "STACKLING_TEST_SLACK_WEBHOOK" },
      people: {},
      api: slack.api,
    });
    const preview = nextPreview();
    assert.equal(await sink.write(preview({ condition: "Reconciling", reason: "Provisioning" })), "same");
    assert.equal(await sink.write(preview()), "written");
    assert.equal(await sink.write(preview({ condition: "Ready", reason: "Asleep", awake: false })), "same");
    assert.equal(await sink.write(preview()), "same");
    assert.equal(await sink.write(preview({ condition: "Stalled", reason: "BuildFailed" })), "written");
  });

  it("is asked by doctor whether the bot is known, with no message", async () => {
    const config = bot();
    const before = (await slack.messages()).length;
    assert.deepEqual(await checkChats({ chat: { team: config } }), [{ ok: true, what: 'chat "team" can be told' }]);
    process.env.STACKLING_TEST_SLACK_BAD = "";
    const [finding] = await checkChats({
      chat: { team: { ...config, token: { env: "STACKLING_TEST_SLACK_BAD" } } as ChatConfig },
    });
    assert.match(finding?.what ?? "", /^chat "team": reading a secret: .*STACKLING_TEST_SLACK_BAD/);
    assert.equal((await slack.messages()).length, before);
  });

  it("says what it refused without the token, and is asked again later", async () => {
    const preview = nextPreview();
    const sink = sinkOf({ ...bot(), channel: "C0NOWHERE" } as ChatConfig);
    await assert.rejects(sink.write(preview()), (error: Error) => {
      assert.match(error.message, /^Slack refused chat\.postMessage: channel_not_found$/);
      return true;
    });
    assert.equal(sink.told.size, 0);
  });
});

describe("a chat", () => {
  it("is told of the repositories that chose it, and of none that chose others", async () => {
    const posted = await startTeams();
    const one = sinkOf(posted.chat, { repositories: [{ name: "shop", chat: ["other"] }] });
    assert.equal(await one.write(nextPreview()()), "same");
    const other = sinkOf(posted.chat, { repositories: [{ name: "shop", chat: ["team"] }] });
    assert.equal(await other.write(nextPreview()()), "written");
    posted.close();
  });

  it("is told nothing of a preview made by hand, nor of the end of one that it never heard of", async () => {
    const posted = await startTeams();
    const sink = sinkOf(posted.chat);
    const { number: _none, ...byHand } = nextPreview()();
    assert.equal(await sink.write({ ...byHand, key: "shop@feature" }), "same");
    assert.equal(
      await sink.write(nextPreview()({ condition: "Ready", reason: "Gone", goneAt: "2026-11-22T00:00:00.000Z" })),
      "same",
    );
    posted.close();
  });
});

describe("Microsoft Teams", () => {
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  it("gets an Adaptive Card of text runs, in which nothing is markup", async () => {
    const posted = await startTeams();
    open.push(posted);
    const sink = sinkOf(posted.chat);
    const preview = nextPreview(HOSTILE)({
      condition: "Stalled",
      reason: "BuildFailed",
      message: HOSTILE,
      excerpt: ["[x](y)"],
    });
    assert.equal(await sink.write(preview), "written");
    assert.equal(await sink.write(preview), "same");
    const [card] = posted.cards;
    assert.equal(posted.cards.length, 1);
    assert.equal(card?.type, "AdaptiveCard");
    const kinds = (card?.body ?? []).map(({ type }) => type);
    assert.deepEqual([...new Set(kinds)], ["RichTextBlock"]);
    const texts = JSON.stringify(card?.body);
    assert.ok(texts.includes(HOSTILE.split("`")[0]?.trim() ?? "?"));
    assert.ok(JSON.stringify(card?.actions).includes("https://preview.acme.dev/previews/shop%23"));
  });

  it("says what migrations changed and what came of commands, in no more than Teams takes", async () => {
    const posted = await startTeams();
    open.push(posted);
    const sink = sinkOf(posted.chat);
    await sink.write(rich(nextPreview()()));
    const [small] = posted.cards;
    const texts = textsOf(small?.body).join("");
    for (const said of [
      'Database schema: 1 dropped, 1 added, against the baseline "shop-masked"⚠️ dropped table old_0',
      "/preview down by @mall_ory: not done, ",
      "The last lines of its logGET /cart 200",
    ])
      assert.ok(texts.includes(said), `${said} is not in ${texts}`);
    const long = Array.from({ length: 400 }, (_, line) => `line ${line} ${"語".repeat(90)}`);
    const failed = { condition: "Stalled", reason: "BuildFailed", excerpt: long } as const;
    await sink.write(rich(nextPreview()(failed), { tables: 60, logged: long }));
    const bytes = Buffer.byteLength(JSON.stringify(posted.cards[1]));
    assert.ok(bytes < 28_000, `${bytes} bytes`);
    assert.match(textsOf(posted.cards[1]?.body).join("\n"), /What it said last\n\[left out: \d+ of 400 lines\]/);
  });

  it("is asked again where it did not take it, and the address is in no error", async () => {
    const posted = await startTeams(500);
    open.push(posted);
    const sink = sinkOf(posted.chat);
    await assert.rejects(sink.write(nextPreview()()), (error: Error) => {
      assert.equal(error.message, "telling Microsoft Teams: it answered 500");
      return true;
    });
    assert.equal(sink.told.size, 0);
  });
});

interface Card {
  readonly type: string;
  readonly body: readonly { readonly type: string }[];
  readonly actions: readonly object[];
}

/** A workflow's address: answers 202 and nothing, as theirs do. */
async function startTeams(status = 202) {
  const cards: Card[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      const { attachments } = JSON.parse(body) as { attachments: { contentType: string; content: Card }[] };
      for (const { contentType, content } of attachments) {
        assert.equal(contentType, "application/vnd.microsoft.card.adaptive");
        cards.push(content);
      }
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const variable = `STACKLING_TEST_TEAMS_${port}`;
  process.env[variable] = `http://127.0.0.1:${port}/workflows/secret`;
  return {
    cards,
    chat: { kind: "teams", webhook: { env: variable } } satisfies ChatConfig as ChatConfig,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
