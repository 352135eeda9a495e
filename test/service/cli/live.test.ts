import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { besideLog, createActivity, createBlock, fitted } from "../../../service/cli/live.ts";

const loud = (text: string) => `<${text}>`;

describe("words on the screen", () => {
  it("cuts what comes last when the window is narrow, and paints only what is shown", () => {
    assert.equal(fitted([["shop#1 ", loud], ["a long title"]]), "<shop#1 >a long title");
    assert.equal(fitted([["shop#1 ", loud], ["a long title"]], 13), "<shop#1 >a lo…");
    assert.equal(fitted([["shop#1 "], ["x", loud]], 8), "shop#1 ");
  });

  it("draws a block over itself until it is left", () => {
    let written = "";
    const block = createBlock({ write: (text) => (written += text) });
    block.show(["one", "two"]);
    block.show(["three"]);
    block.leave();
    block.show(["four"]);
    assert.equal(written, "\u001b[Jone\ntwo\n\u001b[2A\r\u001b[Jthree\n\u001b[Jfour\n");
  });

  it("is a line per change, without escapes, where there is no terminal", () => {
    let written = "";
    const screen = { write: (text: string) => (written += text) };
    const context = { environment: {}, directory: "/", stdout: screen, stderr: screen, version: "1" };
    const activity = createActivity(context);
    for (const doing of ["starting", "starting", "waiting"]) activity.say(doing);
    activity.end();
    assert.equal(written, "starting …\nwaiting …\n");
  });

  it("draws over nothing on a terminal where lines of the log come too", () => {
    let written = "";
    const screen = { write: (text: string) => (written += text), isTTY: true, columns: 80 };
    const context = { environment: { TERM: "xterm" }, directory: "/", stdout: screen, stderr: screen, version: "1" };
    const activity = createActivity(besideLog(context, "stderr"));
    activity.say("starting");
    activity.end();
    assert.equal(written, "starting …\n");
    assert.equal(besideLog(context, "file"), context);
    assert.equal(besideLog(context, undefined), context);
  });
});
