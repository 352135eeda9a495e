import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import type { DriverFile, TargetFile } from "../../../service/config/operator-schema.ts";
import { type DriverOptions, resolveTarget } from "../../../service/config/targets.ts";

/** Drivers as small as a config needs them; `far` stands for any that runs services elsewhere. */
const registry: DriverOptions = {
  service: {
    local: async () => ({ options: z.looseObject({}), runs: "source" }),
    far: async () => ({
      options: z.strictObject({ region: z.string().default("eu-1") }),
      runs: "images",
      placedBy: ["region"],
    }),
  },
  database: {
    clone: async () => ({
      options: z.strictObject({ server: z.strictObject({ file: z.string() }) }),
      placedBy: ["server"],
    }),
  },
  dns: {
    gateway: async () => ({ options: z.looseObject({}) }),
    wildcard: async () => ({ options: z.looseObject({}) }),
  },
  secrets: {
    local: async () => ({
      options: z.looseObject({}),
      refuses: ({ service }) => (service.options.region === "moon" ? "no secrets are kept on the moon" : undefined),
    }),
  },
  backing: {
    cache: async () => ({
      options: z.strictObject({ size: z.number().default(1) }),
      gives: ["url", "prefix"],
      placedBy: ["size"],
    }),
  },
};

const resolve = (file: TargetFile) =>
  resolveTarget("t", file, { registry, dataDir: "/var/lib/stackling", domain: "preview.acme.dev" });
const messages = async (file: TargetFile) => (await resolve(file)).misfits.map(({ message }) => message);

describe("a target", () => {
  it("names the servers that its previews share, and what a part of each has", async () => {
    const { target } = await resolve({
      backing: { sessions: "cache", jobs: { driver: "cache", size: 3 } as DriverFile },
    });
    assert.deepEqual(target?.backing, {
      sessions: { driver: "cache", options: { size: 1 } },
      jobs: { driver: "cache", options: { size: 3 } },
    });
    assert.deepEqual(target?.places?.backing, { sessions: ["size"], jobs: ["size"] });
    assert.deepEqual(target?.gives, { sessions: ["url", "prefix"], jobs: ["url", "prefix"] });
    assert.deepEqual(await messages({ backing: { jobs: { driver: "cach" } as DriverFile } }), [
      '"targets.t.backing.jobs": there is no backing driver "cach"; did you mean "cache"?',
    ]);
  });

  it("is this machine where nothing is said", async () => {
    const { target } = await resolve({});
    assert.deepEqual(
      [target?.runs, target?.service.driver, target?.dns.driver, target?.database?.options],
      ["source", "local", "gateway", { server: { file: "/var/lib/stackling/postgres/previews.url" } }],
    );
  });

  it("leads hosts to the gateway by a wildcard where services run elsewhere", async () => {
    const { target } = await resolve({ service: "far", database: false });
    assert.deepEqual([target?.runs, target?.dns.driver, target?.database], ["images", "wildcard", undefined]);
    assert.deepEqual(target?.places, { service: ["region"], database: [] });
  });

  it("names the options that say where things lie, unless they are this instance's own", async () => {
    const chosen = { driver: "clone", server: { file: "/run/server" } } as DriverFile;
    const places = [{}, { database: chosen }].map(async (file) => (await resolve(file)).target?.places?.database);
    assert.deepEqual(await Promise.all(places), [[], ["server"]]);
  });

  const wrong: readonly [string, TargetFile, RegExp][] = [
    [
      "no word of a database for services elsewhere",
      { service: "far" },
      /"targets\.t" needs a "database": .* or false/,
    ],
    [
      "this machine's database for services elsewhere",
      { service: "far", database: "clone" },
      /"targets\.t\.database" needs "server": the services run elsewhere/,
    ],
    [
      "a combination that a driver refuses, with its reason",
      { service: { driver: "far", region: "moon" } as DriverFile, database: false },
      /^"targets\.t\.secrets": no secrets are kept on the moon$/,
    ],
    [
      "an unknown service driver, and says only that",
      { service: "fra" },
      /no service driver "fra"; did you mean "far"/,
    ],
  ];
  for (const [what, file, message] of wrong) {
    it(`refuses ${what}`, async () => {
      const found = await messages(file);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", message);
    });
  }
});
