/** What every forge must do, by a real Gitea. */
import { after, before, describe } from "node:test";
import { type ForgeFixture, forgeContract } from "../contracts/forge.ts";
import { createGiteaRepository } from "../support/gitea/gitea-repository.ts";
import { type Gitea, startGitea } from "../support/gitea/gitealab.ts";
import { requires } from "../support/requires.ts";

const files = { "preview.yaml": "services: {}\n" };

describe("the forge's contract on a real Gitea", requires("gitea"), () => {
  let gitea: Gitea;
  before(async () => {
    gitea = await startGitea();
  });
  after(() => gitea.stop());

  forgeContract({ name: "gitea", make: () => fixture(gitea), forks: true, commands: true });
});

async function fixture(gitea: Gitea): Promise<ForgeFixture> {
  const repository = await createGiteaRepository(gitea, { name: "shop", files });
  // What docs/forges.md asks for, and no more.
  const token = await gitea.scoped("stackling", ["write:repository", "write:issue", "read:user"]);
  return {
    forge: await repository.connect({ token }),
    repository: { name: "shop", path: repository.path },
    open: (gitBranch, changes) => repository.open({ gitBranch, files: changes }),
    push: repository.push,
    close: repository.close,
    pushBranch: repository.pushBranch,
    breakOff: repository.lockOut,
    openFromFork: (gitBranch, changes) => repository.open({ gitBranch, files: changes, fromFork: true, by: "mallory" }),
    say: (number, body, by) => repository.comment(number, body, by === "writer" ? "ada" : "mallory"),
    reactions: async (comment) => (await repository.reactions(comment)).length,
    comments: async (number) => (await repository.comments(number)).map(({ body }) => body),
    remove: repository.remove,
  };
}
