import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRefusals } from "../../../service/api/refusals.ts";
import { memoryAudit } from "../../support/memory-audit.ts";

const login = (actor: string) => ({ actor, action: "login", via: "page" }) as const;

describe("what was refused", () => {
  it("stands in the audit once of one person, and no more than so often of one place, whatever names came from it", async () => {
    const audit = memoryAudit();
    const note = createRefusals(audit);
    for (let time = 0; time < 3; time += 1) await note(login("@mallory"), "192.0.2.1");
    assert.deepEqual(
      audit.entries.map(({ actor, outcome }) => [actor, outcome]),
      [["@mallory", "refused"]],
    );
    for (let name = 0; name < 60; name += 1) await note(login(`@stranger${name}`), "192.0.2.1");
    assert.equal(audit.entries.length, 20);
    await note(login("@ada"), "192.0.2.2");
    assert.equal(audit.entries.length, 21, "which hides nobody of another place");
  });
});
