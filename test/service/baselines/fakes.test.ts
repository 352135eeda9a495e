import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFakes, type FakeWish } from "../../../service/baselines/fakes.ts";
import { createScan } from "../../../service/baselines/scan.ts";
import { fakeKinds } from "../../../service/config/baselines.ts";

const fakes = createFakes(Buffer.from("a key"));
const make = (wish: Partial<FakeWish> & Pick<FakeWish, "kind">) =>
  fakes({ value: "ada@acme.dev", attempt: 0, unique: false, ...wish });

describe("made-up values", () => {
  it("are the same for the same value and key, in any order, and others for others", () => {
    const first = make({ kind: "name" });
    const other = make({ kind: "name", value: "grace" });
    assert.equal(make({ kind: "name" }), first);
    assert.notEqual(other, first);
    assert.notEqual(
      createFakes(Buffer.from("b"))({ kind: "name", value: "ada@acme.dev", attempt: 0, unique: false }),
      first,
    );
  });

  for (const kind of fakeKinds) {
    it(`of kind ${kind} lead to nobody`, () => {
      const scan = createScan();
      for (const unique of [true, false]) {
        for (let i = 0; i < 100; i += 1) assert.deepEqual(scan(make({ kind, value: `v${i}`, unique })), []);
      }
    });

    it(`of kind ${kind} are many where each must be another, and fit where there is little room`, () => {
      const made = new Set<string>();
      for (let i = 0; i < 1_000; i += 1) made.add(make({ kind, value: `v${i}`, unique: true }));
      assert.equal(made.size, 1_000);
      for (const maxLength of [5, 12, 24]) {
        for (const unique of [true, false]) {
          const fake = make({ kind, maxLength, unique });
          assert.ok(fake.length > 0 && fake.length <= maxLength, fake);
        }
      }
    });
  }

  it("in the format of what was there keep its marks, letters and digits in their places", () => {
    const value = "AB-12/xÿ ".repeat(40);
    const made = make({ kind: "format", value });
    assert.match(made, /^(?:[A-Z]{2}-\d\d\/[a-z]{2} ){40}$/);
    assert.notEqual(made, value);
    assert.notEqual(made.slice(0, 9), made.slice(9, 18));
  });
});
