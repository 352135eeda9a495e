import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALARM_AFTER } from "../../../service/alarm.ts";
import { previewView } from "../../../service/api/preview-view.ts";
import { alarmBanner } from "../../../service/dashboard/alarm-section.ts";
import { resourcesSection } from "../../../service/dashboard/resources-section.ts";
import { aPreview } from "../../support/previews.ts";
import { startApp } from "../app/app-edge.ts";

const AT = "2026-03-01T09:00:00.000Z";
const now = new Date("2026-03-01T10:00:00.000Z");
const difference = { type: "stackling:local:Route", name: "web", kind: "missing" } as const;

describe("a preview's page", () => {
  it("says what was edited by hand and what could not be read, and nothing where all is well", () => {
    const of = (drift: object) => {
      const preview = aPreview();
      const view = previewView({ ...preview, status: { ...preview.status, ...drift } });
      return resourcesSection({ view, resources: [], outputs: {}, now }).markup;
    };
    assert.match(of({}), /Not compared with the world yet/);
    assert.match(of({ drift: { at: AT, differences: [] } }), /As it should be/);
    const found = of({ drift: { at: AT, differences: [{ ...difference, message: 'route "<web>" is missing' }] } });
    assert.match(found, /Edited by hand[\s\S]*route &#34;&#60;web&#62;&#34; is missing/);
    const unread = of({ drift: { differences: [], unread: { at: AT, message: "the cluster does not answer" } } });
    assert.match(unread, /could not be compared[\s\S]*the cluster does not answer/);
    assert.doesNotMatch(unread, /Edited by hand/);
  });

  it("is an alarm once removing it failed often", () => {
    const of = (destroyFailures: number) => {
      const preview = aPreview();
      return alarmBanner(previewView({ ...preview, status: { ...preview.status, destroyFailures } })).markup;
    };
    assert.equal(of(0), "");
    assert.equal(of(ALARM_AFTER - 1), "");
    assert.match(of(ALARM_AFTER), new RegExp(`failed ${ALARM_AFTER} times`));
  });

  it("leads to an inbox by its name, as the list does, and not by the service that keeps it", async () => {
    const urls = {
      web: "http://pr-42-shop.localhost:4000",
      "emulated-mail": "http://pr-42-emulated-mail-shop.localhost:4000",
    };
    const preview = aPreview({ urls });
    const { live } = preview.status;
    assert.ok(live);
    const inboxes = { mail: `${urls["emulated-mail"]}/inbox` };
    const edge = await startApp();
    try {
      edge.store.put({ ...preview, status: { ...preview.status, live: { ...live, inboxes } } });
      for (const path of ["/", "/previews/shop%2342"]) {
        const { body } = await edge.ask({ path });
        assert.match(body, new RegExp(`href="${inboxes.mail}">Inbox mail</a>`), path);
        assert.doesNotMatch(body, />emulated-mail</, path);
      }
    } finally {
      await edge.close();
    }
  });
});
