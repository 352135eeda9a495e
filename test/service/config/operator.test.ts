import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError } from "../../../components/errors.ts";
import { applicationJsonSchema, operatorJsonSchema } from "../../../service/config/json-schema.ts";
import { parseOperator } from "../../../service/config/operator.ts";

const parse = (text: string) =>
  parseOperator(text, { file: "stackling.yaml", directory: "/etc/stackling", dataDir: "/var/lib/stackling" });

describe("reading stackling.yaml", () => {
  it("fills in what one repository leaves out", async () => {
    const config = await parse("repositories: [{path: ../work/Shop.git}]\n");
    assert.deepEqual(config.repositories, [
      {
        name: "shop",
        forge: "local",
        path: "/etc/work/Shop.git",
        target: "local",
        branches: ["**"],
        secrets: {},
        tags: {},
      },
    ]);
    assert.equal(config.domain, "localhost:4000");
    assert.equal(config.host, "127.0.0.1");
    assert.deepEqual(config.targets[0]?.service.options.dataDir, "/var/lib/stackling");
  });

  it("keeps secrets as references", async () => {
    const config = await parse("store: {env: STORE_URL}\nrepositories: [{path: a, secrets: {KEY: {file: key.txt}}}]\n");
    assert.deepEqual(config.store, { env: "STORE_URL" });
    assert.deepEqual(config.repositories[0]?.secrets, { KEY: { file: "/etc/stackling/key.txt" } });
  });

  it("keeps applications' logs for a week, or for as many days as are written", async () => {
    const logs = async (text: string) => (await parse(`${text}repositories: [{path: a}]\n`)).applicationLogs;
    assert.deepEqual(await logs(""), { keepDays: 7 });
    assert.deepEqual(await logs("applicationLogs: {keep: 36h}\n"), { keepDays: 2 });
    await assert.rejects(logs("applicationLogs: {keep: 0}\n"), /"applicationLogs\.keep"/);
  });

  it("reads what opens the metrics, and takes no key beside it", async () => {
    const config = await parse("metrics: {token: {file: metrics-token}}\nrepositories: [{path: a}]\n");
    assert.deepEqual(config.metrics, { token: { file: "/etc/stackling/metrics-token" } });
    assert.equal((await parse("repositories: [{path: a}]\n")).metrics, undefined);
    await assert.rejects(parse("metrics: {public: true}\nrepositories: [{path: a}]\n"), /public/);
  });

  it("looks for files of forges and drivers beside itself", async () => {
    const config = await parse(
      [
        "forges: {github: {token: {file: token}, webhookSecrets: [{file: hook}, {file: /run/hook}, {env: HOOK}]}}",
        "targets: {t: {database: {driver: clone, server: {file: server.url}}}}",
        "repositories: [{path: acme/shop}]",
        "",
      ].join("\n"),
    );
    const { token, webhookSecrets } = Object(config.forges[0]?.options);
    assert.deepEqual(token, { file: "/etc/stackling/token" });
    assert.deepEqual(webhookSecrets, [{ file: "/etc/stackling/hook" }, { file: "/run/hook" }, { env: "HOOK" }]);
    assert.deepEqual(config.targets[0]?.database?.options.server, { file: "/etc/stackling/server.url" });
  });

  it("reads how often previews are compared with the world, and what a repository does about it", async () => {
    const plain = await parse("repositories: [{path: a}]\n");
    assert.deepEqual(plain.drift, { policy: "report", everySeconds: 86_400 });
    const chosen = await parse(
      "drift: {policy: repair, every: 6h}\nrepositories: [{path: a, drift: {policy: 'off'}}, {path: b}]\n",
    );
    assert.deepEqual(chosen.drift, { policy: "repair", everySeconds: 6 * 3600 });
    assert.deepEqual(
      chosen.repositories.map(({ drift }) => drift),
      [{ policy: "off" }, undefined],
    );
  });

  it("reads how often what no preview owns is swept", async () => {
    const sweep = async (text: string) => (await parse(`${text}repositories: [{path: a}]\n`)).sweep;
    assert.deepEqual(await sweep(""), { everySeconds: 3600 });
    assert.deepEqual(await sweep("sweep: {every: 10m}\n"), { everySeconds: 600 });
    await assert.rejects(sweep("sweep: {every: often}\n"), /stackling\.yaml:1: "sweep\.every" must be a time such as/);
    await assert.rejects(sweep("sweep: {evry: 10m}\n"), /unknown key "evry" in "sweep"; did you mean "every"/);
  });

  it("reads how much of the disk must be free, which may be nothing", async () => {
    const free = async (text: string) => (await parse(`${text}repositories: [{path: a}]\n`)).limits.diskFreeMiB;
    assert.deepEqual(
      [await free(""), await free("limits: {diskFreeMiB: 0}\n"), await free("limits: {diskFreeMiB: 2048}\n")],
      [undefined, 0, 2048],
    );
    await assert.rejects(free("limits: {diskFreeMiB: -1}\n"), /must be at least 0/);
  });

  it("reads where images come from, and how long they are waited for", async () => {
    const config = await parse(
      [
        "images:",
        "  registries: [ghcr.io/acme, docker.io]",
        "  credentials: {ghcr.io: {username: bot, password: {file: token}}}",
        "  waitMinutes: 30",
        "repositories: [{path: acme/shop}]",
        "",
      ].join("\n"),
    );
    assert.deepEqual(config.images, {
      registries: ["ghcr.io/acme", "docker.io"],
      credentials: { "ghcr.io": { username: "bot", password: { file: "/etc/stackling/token" } } },
      waitSeconds: 1800,
    });
    assert.deepEqual((await parse("repositories: [{path: a}]\n")).images, { credentials: {}, waitSeconds: 900 });
  });

  it("reads which repository of the forge a name stands for", async () => {
    const { repositories } = await parse(
      "forges: {github: {token: {env: T}}}\nrepositories: [{path: a/a, id: 42}, {path: b/b, id: R_kg}, {path: c/c}]\n",
    );
    assert.deepEqual(
      repositories.map(({ id }) => id),
      ["42", "R_kg", undefined],
    );
  });

  it("reads which changed files give a pull request its preview", async () => {
    const { repositories } = await parse(
      'repositories: [{path: a, pullRequests: {paths: [apps/shop, "lib/**"], ignorePaths: ["**/*.md"]}}]\n',
    );
    assert.deepEqual(repositories[0]?.pullRequests, {
      drafts: true,
      bots: true,
      ignoreLabel: "no-preview",
      bases: ["**"],
      paths: ["apps/shop", "lib/**"],
      ignorePaths: ["**/*.md"],
    });
  });

  it("takes what strangers' approved pull requests get, and says nothing of them by default", async () => {
    const { repositories } = await parse(
      "repositories: [{path: a}, {path: b, untrusted: {baseline: masked, withoutIsolation: true}}]\n",
    );
    assert.deepEqual(
      repositories.map(({ untrusted }) => untrusted),
      [undefined, { baseline: "masked", withoutIsolation: true }],
    );
  });

  it("takes the rule of approvals, logins written with their sign", async () => {
    const { repositories } = await parse(
      "repositories: [{path: a}, {path: b, approval: {required: 2, by: [ada, '@bob', cy@acme.dev], wait: 10m}}, {path: c, approval: {wait: 1h}}]\n",
    );
    assert.deepEqual(
      repositories.map(({ approval }) => approval),
      [
        undefined,
        { required: 2, by: ["@ada", "@bob", "cy@acme.dev"], waitSeconds: 600 },
        { required: 0, waitSeconds: 3600 },
      ],
    );
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    [
      "a rule of approvals that asks for nothing",
      "repositories: [{path: a, approval: {}}]\n",
      /approval" asks for nothing: give "required", "wait" or "environment"/,
    ],
    [
      "people who may approve what nobody need",
      "repositories: [{path: a, approval: {by: [ada], wait: 1h}}]\n",
      /approval\.by" says whose approvals count.*add "required"/,
    ],
    [
      "an environment of a forge without",
      "repositories:\n  - path: a\n    approval: {environment: preview}\n",
      /stackling\.yaml:3: .*"environment" is one of GitHub's, and its forge is local/,
    ],
    [
      "a clash of names",
      "repositories:\n  - path: a/shop\n  - path: b/shop\n",
      /stackling\.yaml:3: .*both be named "shop"; give one of them a "name" of its own/,
    ],
    [
      "an id of a local repository",
      "repositories: [{path: a, id: 42}]\n",
      /a local repository has no id; leave "id" out/,
    ],
    [
      "a folder of a forge that knows none",
      "forges: {github: {token: {env: GITHUB_TOKEN}}}\nrepositories:\n  - path: /srv/shop.git\n",
      /stackling\.yaml:3: .*a folder on this machine, and its forge is github; put "local: \{\}" under "forges"/,
    ],
    [
      "a baseline for strangers of no name",
      "repositories: [{path: a, untrusted: {baseline: A}}]\n",
      /name of a baseline/,
    ],
    ["a path with a slash first", "repositories: [{path: a, pullRequests: {paths: [/apps]}}]\n", /no slash first/],
    [
      "a path that is taken out",
      'repositories: [{path: a, pullRequests: {paths: ["!docs"]}}]\n',
      /in place of "!" the other list/,
    ],
    ["a name that ends in a dash", "repositories: [{path: a, name: shop-}]\n", /no dash last/],
    ["an unusable name", "repositories: [{path: a/日本}]\n", /choose one with "name"/],
    [
      "an unknown forge",
      "repositories: [{path: a, forge: locl}]\n",
      /there is no forge "locl"; did you mean "local"\?/,
    ],
    [
      "an unknown driver",
      "targets: {t: {service: lokal}}\nrepositories: [{path: a}]\n",
      /no service driver "lokal"; did you mean "local"\?/,
    ],
    [
      "an unknown option of a driver",
      "targets: {t: {database: {driver: clone, limit: 3}}}\nrepositories: [{path: a}]\n",
      /unknown key "limit" in "targets\.t\.database"/,
    ],
    ["an unknown kind of forge", "forges: {acme: {}}\nrepositories: [{path: a}]\n", /"forges\.acme" needs a "kind"/],
    ["no repository", "repositories: []\n", /at least one repository/],
    [
      "a registry with a scheme",
      "images: {registries: [https://ghcr.io]}\nrepositories: [{path: a}]\n",
      /"images\.registries\.0" must be a host .* without https/,
    ],
    [
      "a registry's password in the file",
      "images: {credentials: {ghcr.io: {username: a, password: b}}}\nrepositories: [{path: a}]\n",
      /"images\.credentials\.ghcr\.io\.password" must be a map, is text/,
    ],
    ["a time that is none", "lifecycle: {sleepAfter: soon}\nrepositories: [{path: a}]\n", /must be a time such as/],
    [
      "a warning behind the end",
      "lifecycle: {destroyAfter: 7d}\nrepositories: [{path: a}]\n",
      /"warnAfter" \(14d\) must be less than "destroyAfter" \(7d\)/,
    ],
    [
      "the same for one repository",
      "repositories: [{path: a, lifecycle: {warnAfter: 30d}}]\n",
      /stackling\.yaml:1: "warnAfter" \(30d\) must be less than "destroyAfter" \(21d\)/,
    ],
    [
      "an extension that is shorter than the life",
      "lifecycle: {extendMax: 90s}\nrepositories: [{path: a}]\n",
      /"extendMax" \(90s\) must not be less than "hardStop" \(30d\)/,
    ],
    [
      "a time zone that is none",
      "lifecycle:\n  teardown: {at: 0 22 * * 5, timeZone: Europe/Berln}\nrepositories: [{path: a}]\n",
      /stackling\.yaml:2: "lifecycle\.teardown\.timeZone" must be a time zone such as .*; did you mean "Europe\/Berlin"\?/,
    ],
    [
      "a cron expression of four fields",
      "lifecycle: {teardown: {at: 0 22 * *}}\nrepositories: [{path: a}]\n",
      /"lifecycle\.teardown\.at" must have five fields: minute hour day month weekday/,
    ],
    [
      "one with an hour that no day has",
      "repositories: [{path: a, lifecycle: {teardown: {at: 0 25 * * *}}}]\n",
      /"repositories\.0\.lifecycle\.teardown\.at" is no cron expression \(.*hour: 25\)/,
    ],
    [
      "office hours without an end",
      "lifecycle: {officeHours: {awake: 0 8 * * *}}\nrepositories: [{path: a}]\n",
      /"lifecycle\.officeHours\.asleep" is missing/,
    ],
    [
      "office hours that begin when they end",
      "lifecycle: {officeHours: {awake: 0 8 * * *, asleep: 0  8 * * *}}\nrepositories: [{path: a}]\n",
      /"awake" and "asleep" are both "0 8 \* \* \*": write when office hours begin and when they end/,
    ],
    [
      "office hours in one word",
      "lifecycle: {officeHours: daily}\nrepositories: [{path: a}]\n",
      /"lifecycle\.officeHours" is "daily"; must be one of "off"/,
    ],
    [
      "an unknown key of office hours",
      "lifecycle: {officeHours: {awake: 0 8 * * *, asleep: 0 9 * * *, timezone: UTC}}\nrepositories: [{path: a}]\n",
      /unknown key "timezone" in "lifecycle\.officeHours"; did you mean "timeZone"\?/,
    ],
    [
      "a cap of nothing",
      "limits: {previewsPerAuthor: 0}\nrepositories: [{path: a}]\n",
      /"limits\.previewsPerAuthor" must be at least 1/,
    ],
    [
      "a spare time that is none",
      "limits: {makeRoom: true, makeRoomAfter: off}\nrepositories: [{path: a}]\n",
      /"limits\.makeRoomAfter" must be a time such as/,
    ],
    [
      "a request that is held for days",
      "limits: {holdFor: 2d}\nrepositories: [{path: a}]\n",
      /"limits\.holdFor" must be at most 1h/,
    ],
    ["a secret in the file", "store: postgres://x\nrepositories: [{path: a}]\n", /"store" must be a map, is text/],
  ];
  for (const [what, text, message] of wrong) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(parse(text), (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.userMessage, message);
        return true;
      });
    });
  }

  it("fills in what a repository's own times leave out, and takes off for never", async () => {
    const day = 86_400;
    const { lifecycle, repositories } = await parse(
      "lifecycle: {hardStop: off, sleepAfter: 1h}\nrepositories: [{path: a, lifecycle: {destroyAfter: off, warnAfter: 10d}}, {path: b}]\n",
    );
    const top = { sleepAfterSeconds: 3600, warnAfterSeconds: 14 * day, destroyAfterSeconds: 21 * day };
    const ends = { hardStopSeconds: undefined, extendMaxSeconds: 90 * day };
    assert.deepEqual(lifecycle, { ...top, ...ends, resyncSeconds: 60 });
    const own = { sleepAfterSeconds: 3600, warnAfterSeconds: 10 * day, destroyAfterSeconds: undefined };
    assert.deepEqual(
      repositories.map((repository) => repository.lifecycle),
      [{ ...own, ...ends }, undefined],
    );
  });

  it("reads office hours and teardowns, whole or off for one repository", async () => {
    const { lifecycle, repositories } = await parse(
      [
        "lifecycle:",
        '  officeHours: {awake: "0 8 * * 1-5", asleep: "0 19 * * 1-5", timeZone: Europe/Berlin, wakeFor: 30m}',
        '  teardown: {at: "0 22 * * 5"}',
        "repositories:",
        "  - {path: a, lifecycle: {sleepAfter: 1h}}",
        "  - {path: b, lifecycle: {officeHours: off, teardown: off}}",
        '  - {path: c, lifecycle: {officeHours: {awake: "0 6 * * *", asleep: "0 22 * * *"}}}',
        "",
      ].join("\n"),
    );
    const berlin = { awake: "0 8 * * 1-5", asleep: "0 19 * * 1-5", timeZone: "Europe/Berlin", wakeForSeconds: 1800 };
    const teardown = { at: "0 22 * * 5", timeZone: "UTC" };
    const utc = { awake: "0 6 * * *", asleep: "0 22 * * *", timeZone: "UTC", wakeForSeconds: 3600 };
    const read = [lifecycle, ...repositories.map((repository) => repository.lifecycle)];
    assert.deepEqual(
      read.map((times) => [times?.officeHours, times?.teardown]),
      [
        [berlin, teardown],
        [berlin, teardown],
        [undefined, undefined],
        [utc, teardown],
      ],
    );
  });

  it("reads caps, none by default", async () => {
    const { limits, repositories } = await parse(
      [
        "limits: {previews: 40, previewsPerRepository: 10, previewsPerAuthor: 3, makeRoom: true, makeRoomAfter: 5m}",
        "repositories: [{path: a, limits: {previews: 2}}, {path: b}]",
        "",
      ].join("\n"),
    );
    const { previews, previewsPerRepository, previewsPerAuthor, makeRoom, makeRoomAfterSeconds } = limits;
    assert.deepEqual(
      { previews, previewsPerRepository, previewsPerAuthor, makeRoom, makeRoomAfterSeconds },
      { previews: 40, previewsPerRepository: 10, previewsPerAuthor: 3, makeRoom: true, makeRoomAfterSeconds: 300 },
    );
    assert.deepEqual(
      repositories.map((repository) => repository.limits),
      [{ previews: 2 }, undefined],
    );
    const none = (await parse("repositories: [{path: a}]\n")).limits;
    assert.deepEqual(
      [none.previews, none.previewsPerRepository, none.previewsPerAuthor],
      [undefined, undefined, undefined],
    );
    assert.notEqual(none.makeRoom, true);
  });

  it("reads how many requests are held for a preview that wakes, and how long", async () => {
    const { limits } = await parse("limits: {heldRequests: 50, holdFor: 20s}\nrepositories: [{path: a}]\n");
    assert.deepEqual([limits.heldRequests, limits.holdForSeconds], [50, 20]);
  });

  it("reads how much of a commit is checked out", async () => {
    const { limits } = await parse("limits: {checkoutFiles: 5000, checkoutMiB: 100}\nrepositories: [{path: a}]\n");
    assert.deepEqual([limits.checkoutFiles, limits.checkoutMiB], [5000, 100]);
  });

  it("publishes schemas with a description for what people write", async () => {
    const application = JSON.stringify(applicationJsonSchema());
    assert.match(application, /Path that must answer 200 to 399/);
    assert.match(JSON.stringify(await operatorJsonSchema()), /"const":"clone"/);
  });
});
