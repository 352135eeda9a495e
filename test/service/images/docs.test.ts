import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { parseApplication } from "../../../service/config/application.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const text = await readFile(new URL("../../../docs/images.md", import.meta.url), "utf8");
const blocks = new Map(
  [...text.matchAll(/```yaml\n# (\S+)\n([\s\S]*?)```/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
);

describe("docs/images.md", () => {
  it("shows a preview.yaml that is right", () => {
    const limits = { memoryMiB: 8192, cpu: 4, services: 15 };
    const { services } = parseApplication(blocks.get("preview.yaml") ?? "", { file: "preview.yaml", limits });
    assert.deepEqual(
      services.map(({ image }) => image),
      ["ghcr.io/acme/shop:{sha}", "ghcr.io/acme/shop:{sha}"],
    );
  });

  it("shows a stackling.yaml that is right", async () => {
    const yaml = `${blocks.get("stackling.yaml")}repositories: [{path: acme/shop}]\n`;
    const config = await parseOperator(yaml, { file: "stackling.yaml", directory: "/etc", dataDir: "/var/lib/s" });
    assert.equal(config.images.waitSeconds, 900);
    assert.deepEqual(Object.keys(config.images.credentials), ["ghcr.io", "docker.io"]);
  });

  it("shows workflows that build and push the head of the pull request, not its merge", () => {
    const { jobs } = parse(blocks.get(".github/workflows/preview-image.yml") ?? "");
    const head = "${{ github.event.pull_request.head.sha }}";
    const steps: { uses: string; with?: Record<string, string> }[] = jobs.image.steps;
    const step = (action: string) => steps.find(({ uses }) => uses.startsWith(`${action}@`))?.with ?? {};
    assert.equal(step("actions/checkout").ref, head);
    assert.equal(step("docker/build-push-action").tags, `ghcr.io/acme/shop:${head}`);
    const script: string[] = parse(blocks.get(".gitlab-ci.yml") ?? "")["preview-image"].script;
    assert.ok(script.includes('docker push "$CI_REGISTRY_IMAGE:$commit"'));
  });
});
