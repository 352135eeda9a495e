import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { arrange, type Candidate, type CapRules, type Occupant } from "../../../service/caps/arrange.ts";
import { placeWords } from "../../../service/caps/words.ts";

const rules = (change: Partial<CapRules> = {}): CapRules => ({
  all: undefined,
  perAuthor: undefined,
  ofRepository: () => undefined,
  makeRoom: false,
  ...change,
});
const waiter = (key: string, author?: string): Candidate => ({
  key,
  repository: key.split("#")[0] ?? "",
  ...(author ? { author } : {}),
});
const occupant = (key: string, change: Partial<Occupant> = {}): Occupant => ({
  ...waiter(key),
  leaving: false,
  spare: true,
  activeAt: "2026-03-01T12:00:00.000Z",
  ...change,
});

describe("arrange", () => {
  it("gives room in the order of waiting and numbers who is left", () => {
    const waiting = ["shop#1", "shop#2", "blog#3", "shop#4"].map((key) => waiter(key));
    const { granted, places } = arrange(rules({ all: 2 }), { live: [occupant("shop#9")], waiting });
    assert.deepEqual(granted, ["shop#1"]);
    assert.deepEqual(
      [...places].map(([key, { place, scope }]) => [key, place, scope]),
      [
        ["shop#2", 1, "all"],
        ["blog#3", 2, "all"],
        ["shop#4", 3, "all"],
      ],
    );
  });

  it("holds up nobody of another repository for one whose repository is full", () => {
    const ofRepository = (name: string) => (name === "shop" ? 1 : undefined);
    const live = [occupant("shop#9")];
    const waiting = ["shop#1", "shop#2", "blog#3"].map((key) => waiter(key));
    const { granted, places } = arrange(rules({ ofRepository }), { live, waiting });
    assert.deepEqual(granted, ["blog#3"]);
    assert.deepEqual(places.get("shop#2"), { place: 2, of: 2, scope: "repository", name: "shop", limit: 1 });
  });

  it("counts an author over all repositories, and nobody for a preview by hand", () => {
    const live = [occupant("shop#9", { author: "ada" })];
    const waiting = [waiter("blog#1", "ada"), waiter("blog#2", "bob"), waiter("blog@x"), waiter("blog@y")];
    const { granted, places } = arrange(rules({ perAuthor: 1 }), { live, waiting });
    assert.deepEqual(granted, ["blog#2", "blog@x", "blog@y"]);
    assert.equal(places.get("blog#1")?.name, "ada");
  });

  it("sends the idlest to sleep, and nobody more while it is on its way", () => {
    const live = [
      occupant("shop#7", { activeAt: "2026-03-01T11:00:00.000Z" }),
      occupant("shop#8", { activeAt: "2026-03-01T10:00:00.000Z" }),
      occupant("shop#9", { activeAt: "2026-03-01T09:00:00.000Z", spare: false }),
    ];
    const waiting = [waiter("shop#1")];
    assert.deepEqual(arrange(rules({ all: 3, makeRoom: true }), { live, waiting }).sentToSleep, ["shop#8"]);
    assert.deepEqual(arrange(rules({ all: 3 }), { live, waiting }).sentToSleep, []);
    const asked = live.map((one) => (one.key === "shop#8" ? { ...one, leaving: true, spare: false } : one));
    assert.deepEqual(arrange(rules({ all: 3, makeRoom: true }), { live: asked, waiting }).sentToSleep, []);
  });

  it("lets sleep only what frees every cap that is full, one preview where one is enough", () => {
    const ofRepository = (name: string) => (name === "shop" ? 1 : undefined);
    const live = [
      occupant("blog#8", { activeAt: "2026-03-01T09:00:00.000Z" }),
      occupant("shop#9", { activeAt: "2026-03-01T11:00:00.000Z" }),
    ];
    const all = rules({ all: 2, ofRepository, makeRoom: true });
    assert.deepEqual(arrange(all, { live, waiting: [waiter("shop#1")] }).sentToSleep, ["shop#9"]);
    const kept = live.map((one) => ({ ...one, spare: one.key !== "shop#9" }));
    assert.deepEqual(arrange(all, { live: kept, waiting: [waiter("shop#1")] }).sentToSleep, []);
  });

  it("never lets more in than a cap allows, whoever waits", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const pick = (max: number, salt: number) => Math.floor(Math.abs(Math.sin(seed * 31 + salt) * 1e4)) % max;
      const one = (salt: number) => waiter(`r${pick(3, salt)}#${salt}`, `a${pick(4, salt + 50)}`);
      const waiting = Array.from({ length: 12 }, (_, salt) => one(salt + 1));
      const caps = { all: 1 + pick(6, 90), perAuthor: 1 + pick(3, 91), ofRepository: () => 1 + pick(3, 92) };
      const { granted, places } = arrange(rules(caps), { live: [], waiting });
      const inside = waiting.filter(({ key }) => granted.includes(key));
      const most = (of: (candidate: Candidate) => string | undefined) =>
        Math.max(...inside.map((a) => inside.filter((b) => of(b) === of(a)).length));
      assert.ok(granted.length <= caps.all && granted.length > 0);
      assert.ok(most(({ author }) => author) <= caps.perAuthor);
      assert.ok(most(({ repository }) => repository) <= caps.ofRepository());
      assert.equal(granted.length + places.size, waiting.length, "and everybody else has a place");
    }
  });
});

describe("the place in words", () => {
  it("names place, queue and limit", () => {
    assert.equal(
      placeWords({ place: 3, of: 4, scope: "repository", name: "shop", limit: 2 }),
      "Third in the queue of shop, which may have 2 live previews at once. It goes on by itself.",
    );
    assert.equal(
      placeWords({ place: 12, of: 12, scope: "all", name: "", limit: 1 }),
      "12th in the queue; there may be 1 live preview at once. It goes on by itself.",
    );
    assert.match(
      placeWords({ place: 22, of: 30, scope: "author", name: "ada", limit: 1 }),
      /^22nd in the queue of ada, who/,
    );
  });
});
