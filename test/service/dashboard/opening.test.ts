import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Frame } from "../../../service/dashboard/layout.ts";
import { listOpening, listPage } from "../../../service/dashboard/list-page.ts";
import { listingOf, readListing } from "../../../service/dashboard/listing.ts";

const now = new Date("2026-11-22T12:00:00.000Z");
const FRAMES: Readonly<Record<string, Frame>> = {
  "of a stranger": { now },
  "while everything is stopped": { now, pause: { at: "2026-11-22T10:00:00.000Z", by: "@ann" } },
  "with an outcome that would end the opening": { now, outcome: { text: `<div id="live">`, failed: true } },
  "in the dark, with a search": { now, appearance: "dark", path: "/", search: "?q=%3Cdiv%20id%3D%22live%22%3E" },
};

describe("what a list begins with", () => {
  for (const [name, frame] of Object.entries(FRAMES))
    for (const stage of ["", "Gone"])
      it(`is how its page begins ${name}${stage && ", of those that are gone"}`, () => {
        const listing = listingOf(
          [],
          readListing({ stage, q: `<div id="live">` }),
          () => undefined,
          () => undefined,
        );
        const { markup } = listPage({ listing, views: [], stages: [], frame, lastSweep: undefined });
        const opening = listOpening(listing, frame);
        assert.ok(markup.startsWith(opening));
        assert.match(markup.slice(opening.length), /^<div id="live">/);
        assert.equal(opening.split("</head>").length, 2);
      });
});
