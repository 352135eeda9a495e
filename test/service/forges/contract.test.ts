import assert from "node:assert/strict";
import { readFile, rename } from "node:fs/promises";
import { it } from "node:test";
import { createLocalForge } from "../../../service/forges/local.ts";
import { type ForgeName, forges } from "../../../service/forges/registry.ts";
import { type ForgeFixture, forgeContract } from "../../contracts/forge.ts";
import { startGithub } from "../../support/emulate.ts";
import { createRepository } from "../../support/git-repository.ts";
import { startGitlab } from "../../support/gitlab/gitlab-server.ts";

const files = { "preview.yaml": "services: {}\n" };

/** Whose server is built by a suite with a command of its own: the file that runs the contract there. */
const elsewhere = { gitea: "test/gitea/contract.test.ts" } as const;

type Here = Exclude<ForgeName, keyof typeof elsewhere>;

const fixtures: Readonly<Record<Here, Readonly<Record<string, () => Promise<ForgeFixture>>>>> = {
  local: {
    "local, working folder": () => local({ bare: false }),
    "local, bare": () => local({ bare: true }),
  },
  github: {
    "github, token": () => github("token"),
    "github, App": () => github("app"),
  },
  gitlab: { gitlab },
};

for (const [kind, makers] of Object.entries(fixtures)) {
  const isLocal = kind === "local";
  for (const [name, make] of Object.entries(makers)) forgeContract({ name, make, forks: !isLocal, commands: !isLocal });
}

it("every forge of the registry has its contract run, here or by a suite of its own", async () => {
  assert.deepEqual([...Object.keys(fixtures), ...Object.keys(elsewhere)].sort(), Object.keys(forges).sort());
  for (const [name, file] of Object.entries(elsewhere)) {
    const text = await readFile(new URL(`../../../${file}`, import.meta.url), "utf8");
    assert.ok(text.includes(`forgeContract({ name: "${name}"`), `${file} runs the contract of ${name}`);
    const { scripts } = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8"));
    assert.ok(scripts[`test:${name}`], `there is a command test:${name}`);
  }
});

async function local({ bare }: { bare: boolean }): Promise<ForgeFixture> {
  const source = await createRepository({ files, bare });
  const forge = createLocalForge({ now: () => new Date().toISOString() });
  const repository = { name: "shop", path: source.path };
  const branches = new Map<number, string>();
  return {
    forge,
    repository,
    async open(gitBranch, changes) {
      const headSha = await source.commit(gitBranch, changes);
      const list = await forge.list(repository);
      const found = list.kind === "found" && list.pullRequests.find((pull) => pull.headRef === gitBranch);
      if (!found) throw new Error(`"${gitBranch}" has no pull request: ${JSON.stringify(list)}`);
      branches.set(found.number, gitBranch);
      return { number: found.number, headSha };
    },
    push: (number, changes) => source.commit(branches.get(number) ?? "", changes),
    close: (number) => source.deleteBranch(branches.get(number) ?? ""),
    pushBranch: (gitBranch, changes) => source.commit(gitBranch, changes),
    async breakOff() {
      await rename(source.path, `${source.path}.away`);
      return () => rename(`${source.path}.away`, source.path);
    },
    remove: () => source.remove(),
  };
}

async function gitlab(): Promise<ForgeFixture> {
  const server = await startGitlab({ files });
  return {
    forge: await server.connect(),
    repository: { name: "shop", path: server.path },
    open: (gitBranch, changes) => server.open({ gitBranch, files: changes }),
    push: (number, changes) => server.push(number, changes),
    close: async (number) => server.close(number),
    pushBranch: (gitBranch, changes) => server.pushBranch(gitBranch, changes),
    async breakOff() {
      server.instead = () => ({ status: 404, body: { message: "404 Project Not Found" } });
      return async () => {
        server.instead = () => undefined;
      };
    },
    openFromFork: (gitBranch, changes) => server.open({ gitBranch, files: changes, fromFork: true, by: "mallory" }),
    say: async (number, body, by) => server.say(number, body, by === "writer" ? "ada" : "mallory"),
    reactions: async (comment) => server.project.notes.find(({ id }) => id === comment)?.emoji.length ?? 0,
    comments: async (number) => server.project.notes.filter(({ iid }) => iid === number).map(({ body }) => body),
    remove: () => server.stop(),
  };
}

async function github(kind: "token" | "app"): Promise<ForgeFixture> {
  const server = await startGithub({ files });
  const forge = await server.connect(kind);
  return {
    forge,
    repository: { name: "shop", path: server.path },
    open: (gitBranch, changes) => server.open({ gitBranch, files: changes }),
    push: (number, changes) => server.push(number, changes),
    close: (number) => server.close(number),
    pushBranch: (gitBranch, changes) => server.pushBranch(gitBranch, changes),
    breakOff: async () => {
      const mend = server.fail({ path: /./, status: 404 });
      return async () => mend();
    },
    openFromFork: (gitBranch, changes) => server.open({ gitBranch, files: changes, fromFork: true }),
    say: (number, body, by) => server.comment(number, body, by === "writer" ? "owner" : "outsider"),
    reactions: async (comment) => server.reactions(comment).length,
    comments: async (number) => (await server.comments(number)).map(({ body }) => body),
    remove: () => server.stop(),
  };
}
