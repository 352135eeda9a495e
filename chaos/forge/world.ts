/** A real instance with two live pull requests on an emulated GitHub whose answers can be broken; it keeps to rate limits. */
import type { PreviewView } from "../../service/api/preview-view.ts";
import { prepareGithubWorld } from "../../test/e2e/support/github-world.ts";
import { tinyApp } from "../../test/e2e/support/tiny-app.ts";
import type { TestGithub } from "../../test/support/emulate.ts";
import type { FaultWorld } from "../faults.ts";

export interface ForgeWorld extends FaultWorld {
  readonly github: TestGithub;
  /** The pull request that faults are about; another one stands beside it. */
  readonly number: number;
  readonly other: number;
  /** Asks for a look at the pull request, as a delivery does. */
  look(): Promise<void>;
  /** Waits until the preview is shown with this reason. */
  shown(reason: string): Promise<void>;
  /** What was destroyed, made or announced that no answer gave reason for, in words. */
  wrongs(): Promise<readonly string[]>;
  /** Pushes and waits until that is served and announced; then the same as `wrongs`. */
  pushed(): Promise<readonly string[]>;
}

/** @param options.rateLimits Off: writes are not spaced out, as GitHub asks for; limits are kept to all the same. */
export async function startForgeWorld({ rateLimits = true } = {}): Promise<ForgeWorld> {
  const world = await prepareGithubWorld({ files: tinyApp({ text: "main" }) });
  const { github, instance } = world;
  let pushes = 0;
  let served = { text: "one", commit: "" };
  let ups = 0;

  const live = (number: number, commit: string): Promise<PreviewView> =>
    instance.waitFor(`shop#${number}`, (p) => p.reason === "Healthy" && p.commit === commit, "live");
  const stepsNamed = (...names: readonly string[]) => instance.steps.filter(({ step }) => names.includes(step)).length;

  async function wrongs(): Promise<readonly string[]> {
    const problems: string[] = [];
    const previews = await instance.client.list({ gone: true });
    const page = await instance.get(`http://pr-${number}-shop.localhost:${instance.port}`);
    if (!page.text.startsWith(`${served.text} ${served.commit} `)) {
      problems.push(`it serves "${page.status} ${page.text.trim().slice(0, 80)}" in place of "${served.text}"`);
    }
    for (const { key } of previews.filter((one) => one.number !== number && one.number !== other)) {
      problems.push(`it made ${key}`);
    }
    if (stepsNamed("destroy") > 0) problems.push("a preview was destroyed");
    if (stepsNamed("up") !== ups) problems.push("a preview was updated without a push");
    problems.push(...(await announcedWrongly()));
    return problems;
  }

  async function announcedWrongly(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const one of [number, other]) {
      const text = await world.comment(one).catch((error: unknown) => String(error));
      const heading = /^### .*$/m.exec(text)?.[0] ?? text;
      if (!/ is ready$| cannot be looked at just now$/.test(heading))
        problems.push(`the comment on ${one} says "${heading}"`);
    }
    const { records } = github;
    if (!records) throw new Error("the forge keeps no statuses and deployments that could be looked at");
    const states = records.statuses(served.commit).map(({ state }) => state);
    if (states.some((state) => state === "failure" || state === "error")) {
      problems.push(`the status of what is served was ${states.join(", ")}`);
    }
    const deployments = records.deployments().filter(({ sha }) => sha === served.commit);
    if (deployments.some(({ states }) => states.at(-1) === "inactive"))
      problems.push("the deployment of what is served was ended");
    return problems;
  }

  const rollout = async (which: number, text: string, commit: string) => {
    await live(which, commit);
    await world.commented(which, new RegExp(`is ready[\\s\\S]*${commit.slice(0, 7)}`));
    ups = stepsNamed("up");
    return { text, commit };
  };
  let [number, other] = [0, 0];
  try {
    await instance.start({ config: world.config({ resync: "1s", rateLimits }) });
    const beside = await github.open({ gitBranch: "beside", files: { "text.txt": "beside" } });
    const opened = await github.open({ gitBranch: "cart", files: { "text.txt": "one" } });
    [number, other] = [opened.number, beside.number];
    await rollout(other, "beside", beside.headSha);
    served = await rollout(number, "one", opened.headSha);
  } catch (error) {
    await world.remove();
    throw error;
  }
  return {
    github,
    number,
    other,
    look: () => instance.client.look(`shop#${number}`),
    shown: async (reason) => void (await instance.waitFor(`shop#${number}`, (p) => p.reason === reason, reason)),
    wrongs,
    async pushed() {
      const text = `push ${++pushes}`;
      served = await rollout(number, text, await github.push(number, { "text.txt": text }));
      return wrongs();
    },
    remove: () => world.remove(),
  };
}
