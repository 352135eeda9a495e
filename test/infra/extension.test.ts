/** The operator's own program, on the real engine: from a folder with no packages beside it. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { StacklingError } from "../../components/errors.ts";
import type { Stacks, UpResult } from "../../infra/stacks.ts";
import { requires } from "../support/requires.ts";
import { createWorld, spec, type World } from "./world/world.ts";

const STACK = "shop-pr-1";

const EXTRA = `
import { ComponentResource, CustomResource } from "@pulumi/pulumi";
import type { Extension } from "stackling/infra/program";
import { PreviewComponent } from "stackling/components/preview-component";

class Mailbox extends PreviewComponent {
  constructor(name: string, key: string, service: ComponentResource) {
    super("stackling:extra:Mailbox", name, {}, { dependsOn: service });
    new CustomResource("stackling:local:Thing", this.childName("box"), { value: key }, { parent: this });
  }
}

export const extend: Extension = ({ spec, service, database }) => {
  new Mailbox("mailbox", spec.key, service);
  return { mail: service.addresses.apply(({ web }) => "mail://" + web), hasDatabase: database !== undefined };
};
`;

describe("the operator's own program", requires("engine"), () => {
  let folder: string;
  let world: World;
  let runner: Stacks;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "stackling-extra-"));
    world = await createWorld();
    runner = await world.runner();
  });
  after(async () => {
    await world.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function up(text: string | undefined): Promise<UpResult> {
    const program = join(folder, "extra.ts");
    if (text !== undefined) await writeFile(program, text);
    const wish = spec(STACK);
    const target = { ...wish.target, program: text === undefined ? join(folder, "none.ts") : program };
    const lease = world.lease(STACK);
    return runner.up({ spec: { ...wish, target }, secrets: {}, refresh: false, mayBeNew: true, lease });
  }

  it("adds resources with the preview's tags, and outputs beside ours", async () => {
    const { outputs } = await up(EXTRA);
    assert.equal(outputs.mail, "mail://127.0.0.1:7");
    assert.equal(outputs.hasDatabase, false);
    assert.deepEqual(outputs.hosts, ["pr-1-shop.localhost:4000"]);
    assert.ok(world.things().includes("mailbox-box.json"));
    const box = JSON.parse(await readFile(join(world.dataDir, "world", "mailbox-box.json"), "utf8"));
    assert.deepEqual([box.value, box.tags.preview], ["shop#1", STACK]);
  });

  it("is read anew when it changed, and what it no longer adds goes", async () => {
    const { outputs } = await up(`export const extend = async () => ({ mail: "none" });`);
    assert.equal(outputs.mail, "none");
    assert.deepEqual(world.things(), [`${STACK}-one.json`]);
  });

  const faults: readonly (readonly [string, string | undefined, RegExp])[] = [
    ["is not there", undefined, /loading ".*none\.ts": there is no such file/],
    ["exports no function of that name", "export const extends_ = 1;", /it exports no function "extend"/],
    ["cannot be read", "export const extend = (", /loading ".*extra\.ts": /],
    ["throws", 'export const extend = () => { throw new Error("no quota"); };', /running "extend" of ".*": no quota/],
    [
      "claims an output of ours",
      "export const extend = () => ({ spec: 1 });",
      /the output "spec", which is Stackling's/,
    ],
  ];
  for (const [what, text, words] of faults) {
    it(`fails the update, which leaves all as it was, when it ${what}`, async () => {
      const before = world.things();
      await assert.rejects(up(text), (error: StacklingError) => {
        assert.equal(error.reason, "ProgramInvalid");
        assert.match(error.userMessage, words);
        return true;
      });
      assert.deepEqual(world.things(), before);
    });
  }
});
