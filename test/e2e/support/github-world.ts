/** A GitHub with the repository `acme/shop`, and a service that is configured for it. */
import { startGithub, type TestGithub } from "../../support/emulate.ts";
import { eventually } from "../../support/eventually.ts";
import { type Instance, prepareInstance } from "./instance.ts";

export interface GithubWorld {
  readonly github: TestGithub;
  readonly instance: Instance;
  /** Text of `stackling.yaml`; without `webhooks` only the resync finds changes. */
  config(choice?: {
    credential?: "token" | "app";
    webhooks?: boolean;
    resync?: string;
    /** Off by default: writes are then not spaced out. */
    rateLimits?: boolean;
    /** Further keys of the repository, as they stand behind its path. */
    repository?: string;
    more?: string;
  }): string;
  /** The newest text of our only comment; rejects when there is more than one. */
  comment(number: number): Promise<string>;
  /** Waits until the comment matches. */
  commented(number: number, wanted: RegExp): Promise<string>;
  remove(): Promise<void>;
}

/** Nothing of the service runs yet; deliveries already go to its port. */
export async function prepareGithubWorld({
  files,
  recording = true,
  environment = {},
}: {
  files: Readonly<Record<string, string>>;
  recording?: boolean;
  /** Of the service. */
  environment?: Readonly<Record<string, string>>;
}): Promise<GithubWorld> {
  const github = await startGithub({ files, recording });
  const config: GithubWorld["config"] = ({
    credential = "token",
    webhooks = true,
    resync = "10m",
    rateLimits = false,
    repository = "",
    more = "",
  } = {}) =>
    [
      `port: ${instance.port}`,
      "forges:",
      "  github:",
      `    baseUrl: ${github.url}`,
      `    cloneUrl: "${github.gitUrl}"`,
      credential === "token"
        ? "    token: { env: TEST_GITHUB_TOKEN }"
        : `    app: { id: ${github.app.id}, privateKey: { env: TEST_GITHUB_KEY } }`,
      ...(webhooks ? ["    webhookSecrets: [{ env: TEST_GITHUB_SECRET }]"] : []),
      `    rateLimits: ${rateLimits}`,
      "repositories:",
      `  - { path: acme/shop${repository} }`,
      `lifecycle: { resync: ${resync} }`,
      more,
      "",
    ].join("\n");
  const instance = await prepareInstance({
    config: () => config(),
    environment: {
      ...environment,
      TEST_GITHUB_TOKEN: github.token,
      TEST_GITHUB_KEY: github.app.privateKey,
      TEST_GITHUB_SECRET: github.webhookSecret,
    },
  });
  await github.sendWebhooksTo(`http://127.0.0.1:${instance.port}/webhooks/github`);

  const comment = async (number: number) => {
    const ours = (await github.comments(number)).filter(({ body }) => body.startsWith("<!-- stackling:"));
    if (ours.length > 1) throw new Error(`there are ${ours.length} comments`);
    return ours[0]?.body ?? "";
  };
  return {
    github,
    instance,
    config,
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
      await github.stop();
    },
  };
}
