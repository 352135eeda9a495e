import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseApplication } from "../../../service/config/application.ts";
import { misfitsOf } from "../../../service/config/target-fit.ts";
import { problemsOf as problems } from "./problems.ts";

const limits = { memoryMiB: 2048, cpu: 4, services: 4 };
const parse = (login: string, env = "{}") =>
  parseApplication(`services: {web: {command: x, env: ${env}}}\nlogin: ${login}\n`, { file: "preview.yaml", limits });

describe("login of preview.yaml", () => {
  it("is a path and users, who are called by their names unless it says otherwise", () => {
    assert.deepEqual(parse("{path: /stackling-login, users: [{name: ada, title: Shop owner}, bob@acme.dev]}").login, {
      path: "/stackling-login",
      users: [
        { name: "ada", title: "Shop owner" },
        { name: "bob@acme.dev", title: "bob@acme.dev" },
      ],
    });
  });

  for (const path of ["login", "//evil.example", "/\\evil.example", "/.stackling/login", "/a?b", "/a#b", "https://x"]) {
    it(`leads nowhere but into the application: ${path}`, () => {
      assert.match(problems(() => parse(`{path: '${path}', users: [ada]}`)).join(), /"login\.path"/);
    });
  }

  for (const users of [
    "[]",
    "[ada, {name: ada}]",
    "['a b']",
    "['<ada>']",
    `[${"x".repeat(65)}]`,
    "[{name: ada, title: ''}]",
    '[{name: ada, title: "a\\nb"}]',
  ]) {
    it(`takes no users such as ${users.slice(0, 30)}`, () => {
      assert.match(problems(() => parse(`{path: /login, users: ${users}}`)).join(), /"login\.users/);
    });
  }

  it("leaves the key's variable to Stackling", () => {
    const found = problems(() => parse("{path: /login, users: [ada]}", "{STACKLING_LOGIN_KEY: mine}"));
    assert.match(found.join(), /STACKLING_LOGIN_KEY is set by Stackling/);
  });

  it("is a misfit of an application whose target is reached past the gateway, which makes its tokens", () => {
    const choice = { driver: "x", options: {} };
    const target = { name: "t", runs: "source", service: choice, dns: choice, secrets: choice } as const;
    const found = (edge: string) =>
      misfitsOf({
        application: parse("{path: /in, users: [ada]}"),
        target: { ...target, service: { driver: "x", options: { edge } } },
        repository: { name: "a", path: "/a" },
        images: {},
      });
    assert.match(found("direct").join(), /asks for a "login", and the target "t" is reached past the gateway/);
    assert.deepEqual(found("gateway"), []);
  });
});
