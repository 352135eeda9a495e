/** A real Gitea with the repository `acme/shop`, and a service that is configured for it. */
import { type Instance, prepareInstance } from "../../e2e/support/instance.ts";
import { eventually } from "../../support/eventually.ts";
import { createGiteaRepository, type GiteaRepository } from "../../support/gitea/gitea-repository.ts";
import { type Gitea, startGitea } from "../../support/gitea/gitealab.ts";

export interface GiteaWorld {
  readonly gitea: Gitea;
  readonly shop: GiteaRepository;
  readonly instance: Instance;
  readonly secrets: { readonly token: string; readonly webhook: string };
  /** The newest text of our only comment; rejects when there is more than one. */
  comment(number: number): Promise<string>;
  /** Waits until the comment matches. */
  commented(number: number, wanted: RegExp): Promise<string>;
  remove(): Promise<void>;
}

/** Nothing of the service runs yet. It makes the repository's webhook itself, and looks by itself only every ten minutes. */
export async function prepareGiteaWorld(files: Readonly<Record<string, string>>): Promise<GiteaWorld> {
  const gitea = await startGitea();
  const shop = await createGiteaRepository(gitea, { name: "shop", files });
  const secrets = {
    // What docs/forges.md asks for, and no more.
    token: await gitea.scoped("stackling", ["write:repository", "write:issue", "read:user"]),
    webhook: "a webhook secret of the test",
  };
  const instance = await prepareInstance({
    config: (port) =>
      [
        `port: ${port}`,
        "forges:",
        "  gitea:",
        `    url: ${gitea.url}`,
        "    token: { env: TEST_GITEA_TOKEN }",
        "    webhookSecrets: [{ env: TEST_GITEA_SECRET }]",
        "repositories:",
        `  - { path: ${shop.path} }`,
        "lifecycle: { resync: 10m }",
        "",
      ].join("\n"),
    environment: { TEST_GITEA_TOKEN: secrets.token, TEST_GITEA_SECRET: secrets.webhook },
  });
  const comment = async (number: number) => {
    const ours = (await shop.comments(number)).filter(({ body }) => body.startsWith("<!-- stackling:"));
    if (ours.length > 1) throw new Error(`there are ${ours.length} comments`);
    return ours[0]?.body ?? "";
  };
  return {
    gitea,
    shop,
    instance,
    secrets,
    comment,
    commented: (number, wanted) =>
      eventually(
        async () => {
          const body = await comment(number);
          if (wanted.test(body)) return body;
          throw new Error(body || "no comment");
        },
        { timeoutMs: 60_000, what: `a comment like ${wanted}` },
      ),
    remove: async () => {
      await instance.remove();
      await shop.remove();
      await gitea.stop();
    },
  };
}
