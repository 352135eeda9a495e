/** Pull requests of two repositories in one preview, on the real engine: `Preview-With` in what the newest commit says. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { PreviewView } from "../../service/api/preview-view.ts";
import { createRepository, type TestRepository } from "../support/git-repository.ts";
import { requires } from "../support/requires.ts";
import { type GithubWorld, prepareGithubWorld } from "./support/github-world.ts";
import { type Instance, prepareInstance } from "./support/instance.ts";
import { remainsOf } from "./support/oracle.ts";
import { visitorOf } from "./support/visitor.ts";

const SHOP = `
repositories: { stock: api }
services:
  web:
    command: node web.mjs
    env: { STOCK: "http://\${services.stock.address}" }
  stock: { from: stock, service: http, env: { GREETING: shop } }
database: true
`;

const WEB = `
import { createServer } from "node:http";
const own = process.env.STACKLING_COMMIT;
createServer(async (request, response) => {
  const stock = await fetch(process.env.STOCK).then((answer) => answer.json());
  response.end(JSON.stringify({ web: own, stock }));
}).listen(process.env.PORT, "127.0.0.1");
`;

const API = `
build: node build.mjs
services:
  http: { command: node http.mjs, health: /, env: { GREETING: api, DATABASE: "\${database.url}" } }
  jobs: { kind: worker, command: sleep 1000 }
database: true
`;

const HTTP = `
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const { STACKLING_COMMIT: commit, GREETING: greeting, DATABASE: database } = process.env;
const built = readFileSync("built.txt", "utf8");
createServer((request, response) => {
  response.end(JSON.stringify({ commit, built, greeting, database: new URL(database).pathname.slice(1) }));
}).listen(process.env.PORT, "127.0.0.1");
`;

const BUILD = `
import { readFileSync, writeFileSync } from "node:fs";
writeFileSync("built.txt", process.env.STACKLING_COMMIT + " " + readFileSync("text.txt", "utf8"));
`;

/** Takes over what of the shop needs nothing else of it. */
const SITE = `
repositories: { shop: acme/shop }
services:
  web: { command: node site.mjs }
  ping: { from: shop }
database: true
`;

const LISTENER = `
import { createServer } from "node:http";
createServer((request, response) => response.end("The site")).listen(process.env.PORT, "127.0.0.1");
`;

interface Answer {
  readonly web: string;
  readonly stock: {
    readonly commit: string;
    readonly built: string;
    readonly greeting: string;
    readonly database: string;
  };
}

describe("a pull request with a service of another repository", requires("engine", "postgres"), () => {
  let shop: TestRepository;
  let api: TestRepository;
  let instance: Instance;
  let preview: PreviewView;
  let linked = "";

  before(async () => {
    shop = await createRepository({ files: { "preview.yaml": SHOP, "web.mjs": WEB } });
    const files = { "preview.yaml": API, "http.mjs": HTTP, "build.mjs": BUILD, "text.txt": "first" };
    api = await createRepository({ files });
    instance = await prepareInstance({
      config: (port) =>
        `port: ${port}\nrepositories:\n  - { path: ${shop.path}, name: shop }\n  - { path: ${api.path}, name: api, linkedBy: [shop] }\n`,
    });
    await instance.start();
  });
  after(async () => {
    await instance.remove();
    await shop.remove();
    await api.remove();
  });

  it("runs that one's default branch, as its own preview.yaml says, on the preview's own database", async () => {
    const [commit, main] = [await shop.commit("cart", { "new.txt": "1" }), await api.head("main")];
    preview = await instance.waitForBranch("cart", isLive(commit), "live");
    const { web, stock } = await ask(preview);
    assert.deepEqual([web, stock.commit, stock.built, stock.greeting], [commit, main, `${main} first`, "shop"]);
    assert.match(stock.database, /shop/);
  });

  it("takes over the newest of that branch with a push of its own", async () => {
    const main = await api.commit("main", { "text.txt": "second" });
    const commit = await shop.commit("cart", { "new.txt": "2" });
    preview = await instance.waitForBranch("cart", isLive(commit), "updated");
    assert.equal((await ask(preview)).stock.built, `${main} second`);
  });

  it("runs the head of the pull request that it names beside its own, both in one preview", async () => {
    linked = await api.commit("stock", { "text.txt": "linked" });
    const { key } = await instance.waitForBranch("stock", isLive(linked), "with a preview of its own");
    const commit = await shop.commit("cart", { "new.txt": "3" }, `Cart\n\nPreview-With: ${key}`);
    preview = await instance.waitForBranch("cart", isLive(commit), "linked");
    const { web, stock } = await ask(preview);
    assert.deepEqual([web, stock.commit, stock.built], [commit, linked, `${linked} linked`]);
  });

  it("follows a push to the other one", async () => {
    const pushed = await api.commit("stock", { "text.txt": "pushed" });
    preview = await instance.waitFor(preview.key, ({ linked = [] }) => linked[0]?.commit === pushed, "followed");
    assert.equal((await ask(preview)).stock.built, `${pushed} pushed`);
  });

  it("goes on with the default branch once the other one is merged, and says so", async () => {
    const head = await api.head("stock");
    await api.git("update-ref", "refs/heads/main", head);
    await api.deleteBranch("stock");
    preview = await instance.waitFor(preview.key, ({ linked = [] }) => linked[0]?.number === undefined, "merged");
    assert.match(JSON.stringify(preview.links), /merged/);
    assert.equal((await ask(preview)).stock.built, `${head} pushed`);
  });

  it("names what it cannot be previewed with, and serves", async () => {
    const said = "Cart\n\nPreview-With: acme/payroll#1\nPreview-With: shop#9";
    const commit = await shop.commit("cart", { "new.txt": "4" }, said);
    preview = await instance.waitForBranch("cart", isLive(commit), "live again");
    assert.match(JSON.stringify(preview.links), /acme\/payroll#1.*No service.*shop#9.*same repository/);
  });

  it("leaves nothing of either commit when it is closed", async () => {
    await shop.deleteBranch("cart");
    await instance.waitFor(preview.key, ({ stage }) => stage === "Gone", "gone");
    assert.deepEqual(await remainsOf({ dataDir: instance.dataDir, stack: preview.stack }), []);
  });
});

describe("a pull request on GitHub whose description names another one", requires("engine", "postgres"), () => {
  let world: GithubWorld;
  let api: TestRepository;
  let site: TestRepository;
  let linked = "";

  before(async () => {
    api = await createRepository({
      files: { "preview.yaml": API, "http.mjs": HTTP, "build.mjs": BUILD, "text.txt": "first" },
    });
    site = await createRepository({ files: { "preview.yaml": SITE, "site.mjs": LISTENER } });
    const shop = SHOP.replace("database:", "  ping: { kind: worker, command: sleep 1000 }\ndatabase:");
    world = await prepareGithubWorld({ files: { "preview.yaml": shop, "web.mjs": WEB } });
    const others = [api, site].map(
      ({ path }, at) => ` }\n  - { forge: local, path: ${path}, name: ${at === 0 ? "api" : "site"}, linkedBy: [shop]`,
    );
    const repository = `, forge: github, linkedBy: [site]${others.join("")}`;
    const config = world.config({ repository, resync: "1s" });
    await world.instance.start({ config: config.replace("forges:", "forges:\n  local: {}") });
    linked = await api.commit("stock", { "text.txt": "linked" });
    await world.instance.waitForBranch("stock", isLive(linked), "with a preview of its own");
  });
  after(async () => {
    await world?.remove();
    await api?.remove();
    await site?.remove();
  });

  const isWith = (commit: string) => (preview: PreviewView) =>
    preview.reason === "Healthy" && preview.linked?.some((one) => one.commit === commit) === true;

  it("has both in one preview, which follows pushes to the other one and says so in its one comment", async () => {
    const description = "The cart.\n\nPreview-With: api#1";
    const { number } = await world.github.open({ gitBranch: "cart", files: { "new.txt": "1" }, description });
    const { stock } = await ask(await world.instance.waitFor(`shop#${number}`, isWith(linked), "linked"));
    assert.deepEqual([stock.commit, stock.built], [linked, `${linked} linked`]);
    await world.commented(number, new RegExp(`is ready[\\s\\S]*\\| Linked \\| api.*${linked.slice(0, 7)}`));
    const pushed = await api.commit("stock", { "text.txt": "pushed" });
    const { stock: next } = await ask(await world.instance.waitFor(`shop#${number}`, isWith(pushed), "followed"));
    assert.deepEqual([next.commit, next.built], [pushed, `${pushed} pushed`]);
    await world.commented(number, new RegExp(`is ready[\\s\\S]*\\| Linked \\| api.*${pushed.slice(0, 7)}`));
  });

  it("leads from its comment to a preview that it is part of, while it is", async () => {
    await site.commit("front", { "new.txt": "1" }, "Front\n\nPreview-With: shop#1");
    await world.instance.waitFor(
      "site#1",
      ({ reason, linked }) => reason === "Healthy" && linked?.[0]?.number === 1,
      "linked",
    );
    await world.commented(1, /\| Part of \| \[site\\#1\]\(.*\/previews\/site%231\) \|/);
    await site.deleteBranch("front");
    await world.instance.waitFor("site#1", ({ stage }) => stage === "Gone", "gone");
    await world.commented(1, /is ready(?![\s\S]*Part of)/);
  });
});

function isLive(commit: string): (preview: PreviewView) => boolean {
  return (preview) => preview.reason === "Healthy" && preview.commit === commit;
}

async function ask({ url = "" }: PreviewView): Promise<Answer> {
  return JSON.parse((await visitorOf(url).get("/")).text) as Answer;
}
