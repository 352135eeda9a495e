import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Line, MOST_LINES, parseCommands } from "../../../service/commands/parse.ts";
import { VERBS } from "../../../service/commands/verbs.ts";

describe("the commands of a comment", () => {
  it("are every verb there is, in any case, alone in its line", () => {
    for (const verb of VERBS) {
      const text = verb === "extend" ? "extend 48h" : verb === "flag" ? "flag theme=dark" : verb;
      for (const body of [`/preview ${text}`, `  /PREVIEW   ${text.toUpperCase().replace("48H", "48h")}  `]) {
        const [line, ...more] = parseCommands(body);
        assert.deepEqual([verbOf(line), more], [verb, []], body);
      }
    }
  });

  it("are taken one a line and in order, between other words and with any ends of lines", () => {
    const body = "Thanks!\r\n/preview extend 90m\r\n\r\n/preview sleep\n/preview keep off\rplease /preview down";
    assert.deepEqual(commandsOf(body), [
      { verb: "extend", seconds: 5400 },
      { verb: "sleep" },
      { verb: "keep", keep: false },
    ]);
  });

  it("are what is asked for, the bare word for help", () => {
    assert.deepEqual(commandsOf("/preview"), [{ verb: "help" }]);
    assert.deepEqual(commandsOf("/preview keep"), [{ verb: "keep", keep: true }]);
    assert.deepEqual(commandsOf("/preview keep --off"), [{ verb: "keep", keep: false }]);
    assert.deepEqual(commandsOf("/preview seed demo"), [{ verb: "seed", scenario: "demo" }]);
    assert.deepEqual(commandsOf("/preview flag a.b=c=d"), [{ verb: "flag", name: "a.b", value: "c=d" }]);
    assert.deepEqual(commandsOf("/preview flag theme="), [{ verb: "flag", name: "theme" }]);
    assert.deepEqual(commandsOf("/preview rollback"), [{ verb: "rollback" }]);
    const sha = "0123abc";
    assert.deepEqual(commandsOf(`/preview rollback ${sha.toUpperCase()} --keep-database`), [
      { verb: "rollback", sha, keepDatabase: true },
    ]);
  });

  const shown: Readonly<Record<string, string>> = {
    "a fenced block": "```\n/preview down\n```",
    "a fenced block with a word": "~~~sh\n/preview down\n~~~",
    "a fence that a shorter one does not end": "````\n```\n/preview down\n````",
    "a fence that nothing ends": "```\nx\n/preview down",
    "an indented block": "    /preview down\n\t/preview down",
    "a quote": "> /preview down\n>/preview down\n > /preview down",
    "a hidden comment": "<!--\n/preview down\n-->",
    "a hidden comment without an end": "<!--\n/preview down",
    "the middle of a line": "try /preview down\n`/preview down`\n- /preview down",
    "another word": "/previews down\n/preview-down\n//preview down",
  };
  for (const [what, body] of Object.entries(shown)) {
    it(`are not in ${what}`, () => assert.deepEqual(parseCommands(body), []));
  }

  it("go on behind a block", () => {
    assert.deepEqual(commandsOf("```\n/preview down\n```\n/preview sleep\n> quote\n/preview wake"), [
      { verb: "sleep" },
      { verb: "wake" },
    ]);
  });

  it("are five in one comment at most, and the rest is told of", () => {
    const lines = parseCommands("/preview status\n".repeat(MOST_LINES + 3));
    assert.equal(lines.length, MOST_LINES + 1);
    assert.match(problemOf(lines.at(-1)), /the 3 behind them/);
  });
});

describe("a command that is wrong", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["/preview explode", /there are `up`, `down`, .*`help`/],
    ["/preview rollback main", /the id of a commit/],
    ["/preview rollback 0123abc 0123abd", /a word too many/],
    ["/preview extend", /a time such as/],
    ["/preview extend foo", /a time such as/],
    ["/preview extend 0h", /a time such as/],
    ["/preview extend 9999999d", /longest/],
    ["/preview keep on", /`keep` or `keep off`/],
    ["/preview down now", /nothing is expected behind `down`/],
    ["/preview extend 48 h", /a word too many/],
  ];
  for (const [body, words] of wrong) {
    it(`is told what is wrong with "${body}"`, () => assert.match(problemOf(parseCommands(body)[0]), words));
  }

  it("is shown without what could end the code it stands in, and cut", () => {
    const [line] = parseCommands("/preview `</code>@everyone`|ghp_0123456789abcdefghij0123456789 x");
    assert.equal(line?.said, "/codeeveryoneghp…");
    for (const { said } of parseCommands(
      "/preview extend $`\"'<b>\n/preview extend ghp_0123456789abcdefghij\n/preview ü",
    )) {
      assert.match(said, /^[\w.:/-]+…?( [\w.:/-]*…?)?$|^…$/, said);
      assert.ok(said.length < 40);
    }
  });
});

function verbOf(line: Line | undefined): string | undefined {
  return line && "command" in line.asks ? line.asks.command.verb : undefined;
}

function commandsOf(body: string): unknown[] {
  return parseCommands(body).map(({ asks }) => ("command" in asks ? asks.command : asks));
}

function problemOf(line: Line | undefined): string {
  return line && "problem" in line.asks ? line.asks.problem : "";
}
