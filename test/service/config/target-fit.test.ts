import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../../service/config/application.ts";
import { type Fitting, misfitsOf } from "../../../service/config/target-fit.ts";

const limits = { memoryMiB: 8192, cpu: 4, services: 15 };

function misfits(text: string, changes: Partial<Fitting> = {}): readonly string[] {
  return misfitsOf({
    application: parseApplication(text, { file: "preview.yaml", limits }),
    target: { name: "cloud", runs: "images", service: choice, dns: choice, secrets: choice, database: choice },
    repository: { name: "shop", path: "Acme/Shop" },
    images: {},
    ...changes,
  });
}

const choice = { driver: "x", options: {} };
const local: Fitting["target"] = {
  name: "local",
  runs: "source",
  service: choice,
  dns: choice,
  secrets: choice,
  database: choice,
};
const source: Partial<Fitting> = { target: local };
const bare: Partial<Fitting> = {
  target: { name: "bare", runs: "images", service: choice, dns: choice, secrets: choice },
};

describe("an application on a target", () => {
  const right: readonly [string, string, Partial<Fitting>?][] = [
    ["images by commit, and their build commands ignored", "build: make\nservices: {web: {image: 'a/b:{sha}'}}\n"],
    ["an image and a command where sources run", "services: {web: {command: x, image: 'a/b:{sha}'}}\n", source],
    [
      "images below what the operator lists",
      "services: {web: {image: 'ghcr.io/acme/shop:{sha}', sidecars: {cache: {image: 'redis:8'}}}}\n",
      { images: { registries: ["ghcr.io/acme", "docker.io"] } },
    ],
  ];
  for (const [what, text, changes] of right) {
    it(`fits with ${what}`, () => assert.deepEqual(misfits(text, changes), []));
  }

  const wrong: readonly [string, string, Partial<Fitting>, RegExp][] = [
    [
      "a part of a server that it does not name, and says which there are",
      "services: {web: x}\nexternal: {queue: {mode: own, values: {BROKERS: brokers}}}\n",
      { target: { ...local, gives: { events: ["brokers"] } } },
      /external "queue" is a part of "queue", and the target "local" has no such `backing`; there are events/,
    ],
    [
      "a value that a part has not, and says which it has",
      "services: {web: x}\nexternal: {queue: {mode: own, from: events, values: {BROKERS: broker}}}\n",
      { target: { ...local, gives: { events: ["brokers", "prefix"] } } },
      /external "queue" has no "broker"; known: brokers, prefix/,
    ],
    [
      "topics of what is no broker",
      "services: {web: x}\nexternal: {cache: {mode: own, values: {CACHE: url}, topics: [orders]}}\n",
      { target: { ...local, gives: { cache: ["url", "prefix"] } } },
      /external "cache" has "topics", and the target's `backing` "cache" has none/,
    ],
    [
      "something emulated where images run, and says that",
      "services: {web: {image: 'a/b:{sha}'}}\nexternal: {stripe: emulated}\n",
      {},
      /external "stripe" is emulated, which the target "cloud" cannot/,
    ],
    [
      "commands alone, and says the line to write",
      "services: {web: npm start}\n",
      {},
      /service "web" has no image, .* "cloud" runs images; write `image: ghcr\.io\/acme\/shop:\{sha\}` under "services\.web".*docs\/images\.md/,
    ],
    [
      "commands alone, with the operator's registry in that line",
      "services: {web: npm start}\n",
      { images: { registries: ["registry.acme.dev"] } },
      /`image: registry\.acme\.dev\/acme\/shop:\{sha\}`/,
    ],
    [
      "commands alone of a local repository",
      "services: {web: npm start}\n",
      { repository: { name: "shop", path: "/srv/shop" } },
      /`image: registry\.example\.com\/shop:\{sha\}`/,
    ],
    [
      "an image alone where sources run",
      "services: {web: {image: 'a/b:{sha}'}}\n",
      source,
      /service "web" has an image and no command.* "local" runs the source; write `command: …` under "services\.web"/,
    ],
    [
      "a sidecar's image alone where sources run",
      "services: {web: {command: x, sidecars: {cache: {image: 'redis:8'}}}}\n",
      source,
      /write `command: …` under "services\.web\.sidecars\.cache"/,
    ],
    [
      "an image from elsewhere than the operator lists",
      "services: {web: {image: 'ghcr.io/acmeevil/shop:{sha}'}}\n",
      { images: { registries: ["ghcr.io/acme", "docker.io/library"] } },
      /"ghcr\.io\/acmeevil\/shop:\{sha\}" is not from a registry that the operator allows: ghcr\.io\/acme, docker\.io\/library/,
    ],
    [
      "a sidecar from elsewhere",
      "services: {web: {image: 'ghcr.io/acme/shop:{sha}', sidecars: {cache: {image: 'evil.example/redis:8'}}}}\n",
      { images: { registries: ["ghcr.io"] } },
      /"evil\.example\/redis:8" is not from/,
    ],
    [
      "a database that the target has none of",
      "database: true\nservices: {web: {image: 'a/b:{sha}'}}\n",
      bare,
      /asks for a "database", and the target "bare" has none/,
    ],
    [
      "a new database for each commit where all share one",
      "database: {onPush: reset}\nservices: {web: x}\n",
      { target: { ...local, sharesDatabase: true } },
      /asks for "onPush: reset", and the database of the target "local" is shared/,
    ],
  ];
  for (const [what, text, changes, message] of wrong) {
    it(`does not fit with ${what}`, () => {
      const found = misfits(text, changes);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", message);
    });
  }
});
