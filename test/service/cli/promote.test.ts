/** Promotions by the command line, against the app itself. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { after, before, describe, it } from "node:test";
import { runCli } from "../../../service/cli/program.ts";
import { NO_INTENTS } from "../../../service/intents.ts";
import type { Promotion } from "../../../service/stages/promotion.ts";
import { aPreview } from "../../support/previews.ts";
import { type AppEdge, startApp, TOKEN } from "../app/app-edge.ts";

const KEY = "shop:production";
const AT = "2026-11-21T10:00:00.000Z";
const SHA = "a".repeat(40);
const promotion: Promotion = { sha: SHA, from: "staging", by: "@ana", at: AT, dueAt: AT, approvals: [] };

describe("promote --cancel", () => {
  let edge: AppEdge;
  before(async () => {
    edge = await startApp();
  });
  after(() => edge.close());

  async function cancel() {
    let stderr = "";
    const code = await runCli(["promote", "shop", "staging", "production", "--cancel"], {
      environment: { STACKLING_URL: `http://127.0.0.1:${edge.port}`, STACKLING_TOKEN: TOKEN },
      directory: tmpdir(),
      stdout: { write: () => {} },
      stderr: {
        write: (text: string) => {
          stderr += text;
        },
      },
      version: "1.2.3",
    });
    return { code, stderr };
  }
  const put = (waiting: { readonly promotion?: Promotion }) =>
    edge.store.put({ ...aPreview(), key: KEY, intents: { ...NO_INTENTS, ...waiting } });

  it("cancels the promotion that waited when it was asked, and no other one", async () => {
    put({ promotion });
    assert.equal((await cancel()).code, 0);
    assert.deepEqual(edge.acts, [`cancel-promotion ${KEY} ${SHA} ${AT} by api`]);
  });

  it("says so where none waits", async () => {
    put({});
    const { code, stderr } = await cancel();
    assert.equal(code, 1);
    assert.match(stderr, /cancelling the promotion "shop:production": no promotion is waiting/);
  });
});
