import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../../service/config/application.ts";
import { problemsOf as problems } from "./problems.ts";

const limits = { memoryMiB: 2048, cpu: 4, services: 4 };
const parse = (text: string) => parseApplication(text, { file: "preview.yaml", limits });
const problemsOf = (text: string) => problems(() => parse(text));

const FILE = `services:
  web: x
  api: x
external:
  stripe:
    mode: sandbox
    secrets: {STRIPE_SECRET_KEY: STRIPE_TEST_KEY}
    services: [api]
    production: live account
    development: stripe-mock
    review: 2027-03-01
  search: {mode: shared, secrets: [SEARCH_KEY], env: {SEARCH_URL: "https://search.example.dev"}}
  mail: {mode: off, secrets: [MAIL_KEY], env: {MAIL: off}}
  analytics: off
`;

describe("external services of preview.yaml", () => {
  it("give each service the keys that are meant for it, by the names it uses", () => {
    const { services, grantedSecrets } = parse(FILE);
    const search = { SEARCH_KEY: "${secrets.SEARCH_KEY}", SEARCH_URL: "https://search.example.dev", MAIL: "off" };
    assert.deepEqual(
      services.map(({ environment }) => environment),
      [search, { STRIPE_SECRET_KEY: "${secrets.STRIPE_TEST_KEY}", ...search }],
    );
    assert.deepEqual(grantedSecrets, ["STRIPE_TEST_KEY", "SEARCH_KEY"]);
  });

  it("say what each is in production, previews and development", () => {
    assert.deepEqual(parse(FILE).external, [
      {
        name: "stripe",
        mode: "sandbox",
        secrets: { STRIPE_SECRET_KEY: "STRIPE_TEST_KEY" },
        production: "live account",
        development: "stripe-mock",
        review: "2027-03-01",
      },
      { name: "search", mode: "shared", secrets: { SEARCH_KEY: "SEARCH_KEY" } },
      { name: "mail", mode: "off", secrets: { MAIL_KEY: "MAIL_KEY" } },
      { name: "analytics", mode: "off", secrets: {} },
    ]);
    assert.equal(parse("services: {web: x}\n").external, undefined);
  });

  it("leave a secret outside that no service refers to", () => {
    const unused =
      "secrets: {A: granted, B: granted, C: generated}\nservices: {web: {command: x, env: {X: '${secrets.B}'}}}\n";
    assert.deepEqual(parse(unused).grantedSecrets, ["B"]);
    const forNobody =
      "services: {web: x}\nexternal: {a: {mode: sandbox, secrets: [A], services: [web]}, b: {mode: off, secrets: [B]}}\n";
    assert.deepEqual(parse(forNobody).grantedSecrets, ["A"]);
  });

  it("give one that is emulated a process of the preview's own, and its address to who asks for it", () => {
    const { services, main, grantedSecrets } = parse(
      "services: {web: x, api: x}\nexternal: {mail: {mode: emulated, emulator: resend, address: RESEND_BASE_URL, env: {RESEND_API_KEY: re_any}, secrets: [A], services: [api]}}\n",
    );
    assert.deepEqual(
      services.map(({ name, environment }) => [name, environment]),
      [
        ["web", {}],
        ["api", { RESEND_BASE_URL: "http://${services.emulated-mail.address}", RESEND_API_KEY: "re_any" }],
        ["emulated-mail", { EMULATE_BASE_URL: "${services.emulated-mail.url}" }],
      ],
    );
    assert.match(services[2]?.command ?? "", /main\.mjs" resend$/);
    assert.deepEqual([main, grantedSecrets], ["web", []]);
  });

  it("lead to a mail catcher by its own port, in one variable or apart", () => {
    const { services, external } = parse(
      "services: {web: x, api: x}\nexternal: {mail: {mode: emulated, emulator: smtp, address: [SMTP_URL], services: [web]}, smtp: {mode: emulated, address: {host: SMTP_HOST, port: SMTP_PORT}, services: [api]}}\n",
    );
    const [web, api, mail, smtp] = services;
    assert.deepEqual(web?.environment, { SMTP_URL: "smtp://127.0.0.1:${services.emulated-mail.ports.smtp}" });
    assert.deepEqual(api?.environment, { SMTP_HOST: "127.0.0.1", SMTP_PORT: "${services.emulated-smtp.ports.smtp}" });
    assert.deepEqual([mail?.ports, smtp?.ports], [["smtp"], ["smtp"]]);
    assert.deepEqual(mail?.environment, { INBOX_NAME: "mail", INBOX_URL: "${services.emulated-mail.url}" });
    assert.deepEqual(
      external?.map(({ inbox }) => inbox),
      ["/inbox", "/inbox"],
    );
  });

  it("begin with what a file of the commit holds, or with what is written there", () => {
    const { services } = parse(
      "services: {web: x}\nexternal: {github: {mode: emulated, seed: fixtures/github.yaml}, stripe: {mode: emulated, seed: {customers: [{name: Ada}], hook: '${services.web.url}/hooks'}}}\n",
    );
    assert.equal(services[1]?.environment.EMULATE_SEED_FILE, "fixtures/github.yaml");
    assert.equal(
      services[2]?.environment.EMULATE_SEED,
      '{"customers":[{"name":"Ada"}],"hook":"${services.web.url}/hooks"}',
    );
  });

  it("give what is a part of its own the variables that hold what reaches it, with no secret of the operator's", () => {
    const { services, external, grantedSecrets } = parse(
      "services: {web: x}\nexternal: {jobs-queue: {mode: own, from: events, values: {KAFKA_BROKERS: brokers, KAFKA_PREFIX: prefix}, topics: [orders, mails, orders]}}\n",
    );
    assert.deepEqual(services[0]?.environment, {
      KAFKA_BROKERS: "${secrets.EXTERNAL_JOBS_QUEUE_BROKERS}",
      KAFKA_PREFIX: "${secrets.EXTERNAL_JOBS_QUEUE_PREFIX}",
    });
    assert.deepEqual(external?.[0]?.own, {
      from: "events",
      values: { KAFKA_BROKERS: "brokers", KAFKA_PREFIX: "prefix" },
      topics: ["mails", "orders"],
    });
    assert.deepEqual(grantedSecrets, []);
  });

  const web = (rest: string, env = "") => `services: {web: {command: x${env}}}\n${rest}`;
  for (const [what, text, problem] of [
    [
      "a part of its own without what it gives",
      web("external: {cache: {mode: own}}\n"),
      'is of its own, and "values" says which variables get what of it, such as {REDIS_URL: url}',
    ],
    [
      "what is for parts of its own, of something else",
      web("external: {cache: {mode: shared, from: sessions}}\n"),
      'has "from", which is for what is of its own (mode: own)',
    ],
    [
      "a variable of a part that something else sets",
      web("external: {cache: {mode: own, values: {REDIS_URL: url}}}\n", ", env: {REDIS_URL: x}"),
      'sets REDIS_URL, and so does service "web"; leave one of them out',
    ],
    [
      "a granted secret that none of them names",
      web("secrets: {A: granted}\nexternal: {b: off}\n", ", env: {A: '${secrets.A}'}"),
      'secret "A" is granted, but nothing in "external" names it; say there what it is for, or it has no way into a preview',
    ],
    [
      "a key of one that is off",
      web("external: {a: {mode: off, secrets: [A]}}\n", ", env: {X: '${secrets.A}'}"),
      'service "web": X refers to "${secrets.A}", but "external.a" is off and has no keys',
    ],
    [
      "one variable of two",
      web("external: {a: {mode: sandbox, secrets: [A]}, b: {mode: shared, secrets: {A: B}}}\n"),
      'external "b" sets A, and so does external "a"; leave one of them out',
    ],
    [
      "a variable that a service sets",
      web("external: {a: {mode: sandbox, secrets: [A]}}\n", ", env: {A: 1}"),
      'external "a" sets A, and so does service "web"; leave one of them out',
    ],
    [
      "a secret that is generated",
      web("secrets: {A: generated}\nexternal: {a: {mode: sandbox, secrets: [A]}}\n"),
      'external "a" wants A of the operator, but "secrets" has it generated',
    ],
    [
      "a service that is none",
      web("external: {a: {mode: sandbox, secrets: [A], services: [wbe]}}\n"),
      'external "a" names "wbe", which is no service; did you mean "web"?',
    ],
    [
      "a day that is none",
      web("external: {a: {mode: off, review: 2027-02-30}}\n"),
      '"external.a.review" must be a date such as 2027-03-01',
    ],
    [
      "an emulator that there is none of",
      web("external: {mail: emulated}\n"),
      'external "mail" is emulated by what its "emulator" names, one of apple, aws, clerk, github, google, linear, microsoft, mongoatlas, okta, resend, slack, stripe, twilio, vercel, smtp, sms, webhooks',
    ],
    [
      "a port of an emulator that has none of its own",
      web("external: {stripe: {mode: emulated, address: {url: STRIPE_URL, port: STRIPE_PORT}}}\n"),
      'external "stripe" has an address that is a URL only; "host" and "port" go with the emulator smtp',
    ],
    [
      "a seed outside of the repository",
      web("external: {stripe: {mode: emulated, seed: ../stripe.yaml}}\n"),
      'external "stripe" has the seed "../stripe.yaml"; it must be relative to the repository and stay inside',
    ],
    [
      "a seed of another kind",
      web("external: {stripe: {mode: emulated, seed: stripe.ts}}\n"),
      'external "stripe" has the seed "stripe.ts"; it must be a .yaml, .yml or .json file',
    ],
    [
      "a seed of what begins empty",
      web("external: {smtp: {mode: emulated, seed: {a: 1}}}\n"),
      'external "smtp" is played by smtp, which begins empty; leave "seed" out',
    ],
    [
      "a seed too large for an environment",
      web(`external: {stripe: {mode: emulated, seed: {a: ${"x".repeat(70_000)}}}}\n`),
      'external "stripe" has a "seed" of 70008 bytes, and 65536 are allowed here; put it into a file of the repository',
    ],
    [
      "an emulator beside a service of its name",
      "services: {web: x, emulated-aws: x}\nexternal: {aws: emulated}\n",
      'external "aws" is emulated by the service "emulated-aws", which bears the name of another',
    ],
    [
      "a mode that is none",
      web("external: {a: {mode: sandbx}}\n"),
      '"external.a.mode" is "sandbx"; must be one of "sandbox", "emulated", "own", "shared", "off"; did you mean "sandbox"?',
    ],
  ] as const) {
    it(`do not take ${what}`, () => {
      const problems = problemsOf(text);
      assert.ok(
        problems.some((one) => one.endsWith(problem)),
        problems.join("\n"),
      );
    });
  }
});
