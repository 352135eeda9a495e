import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { previewEnds } from "../../../service/api/preview-ends.ts";
import { previewView } from "../../../service/api/preview-view.ts";
import { defaultLifecycle } from "../../../service/config/defaults.ts";
import type { Moment } from "../../../service/lifecycle.ts";
import type { Preview } from "../../../service/status.ts";
import { aPreview } from "../../support/previews.ts";

const URLS = { web: "http://pr-42-shop.localhost:4000" };
const MOMENT: Moment = { now: "2026-11-22T10:00:00.000Z", pauses: [] };
const ends = (preview: Preview, moment = MOMENT) => previewEnds(preview, defaultLifecycle, moment);

describe("the ends of a preview, as pages and CLI show them", () => {
  it("are counted from its last use", () => {
    assert.deepEqual(ends(aPreview({ urls: URLS })), {
      idleSince: "2026-11-21T10:00:00.000Z",
      sleepsAt: "2026-11-23T10:00:00.000Z",
      idleStop: "2026-12-12T10:00:00.000Z",
      hardStop: "2026-12-21T10:00:00.000Z",
    });
  });

  it("leave out the sleep of one that sleeps, and every end of one that is kept", () => {
    assert.equal(ends(aPreview({ urls: URLS, status: { awake: false } }))?.sleepsAt, undefined);
    const kept = aPreview({ urls: URLS });
    const { sleepsAt, idleStop, hardStop } = ends({ ...kept, intents: { ...kept.intents, keep: true } }) ?? {};
    assert.deepEqual(
      { sleepsAt, idleStop, hardStop },
      {
        sleepsAt: "2026-11-23T10:00:00.000Z",
        idleStop: undefined,
        hardStop: undefined,
      },
    );
  });

  it("count the whole notice where the warning is overdue", () => {
    const late = { now: "2026-12-10T10:00:00.000Z", pauses: [] };
    assert.equal(ends(aPreview({ urls: URLS }), late)?.idleStop, "2026-12-17T10:00:00.000Z");
  });

  it("count nothing that a budget stopped", () => {
    const stops = [{ from: "2026-11-21T12:00:00.000Z", to: "2026-11-22T09:00:00.000Z" }];
    assert.deepEqual(ends(aPreview({ urls: URLS, status: { stops } })), {
      idleSince: "2026-11-21T10:00:00.000Z",
      sleepsAt: "2026-11-24T07:00:00.000Z",
      idleStop: "2026-12-13T07:00:00.000Z",
      hardStop: "2026-12-22T07:00:00.000Z",
    });
  });

  it("are none where it is gone, and where everything is stopped", () => {
    assert.equal(ends(aPreview({ status: { goneAt: MOMENT.now, reason: "Gone" } })), undefined);
    const stopped = ends(aPreview({ urls: URLS }), { ...MOMENT, pauses: [{ from: "2026-11-22T09:00:00.000Z" }] });
    assert.deepEqual(stopped, { idleSince: "2026-11-21T10:00:00.000Z" });
  });
});

describe("a preview that is gone", () => {
  const isRebuildable = (goneReason: string, state: "open" | "closed" = "open") => {
    const { pullRequest, ...rest } = aPreview({ status: { goneAt: MOMENT.now, reason: "Gone", goneReason } });
    return previewView({ ...rest, pullRequest: pullRequest && { ...pullRequest, state } }).rebuildable;
  };

  it("can be made anew when it expired or was taken down, and its pull request is open", () => {
    assert.deepEqual(
      ["Expired", "Removed", "Closed", "Merged", "Refused"].map((reason) => isRebuildable(reason)),
      [true, true, false, false, false],
    );
    assert.equal(isRebuildable("Expired", "closed"), false);
  });
});
