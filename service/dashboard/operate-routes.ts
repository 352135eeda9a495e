/** The pages' side of what is asked of all previews at once: kill switch and sweep. */
import type { Router } from "express";
import { sweepNoted, sweepRequest } from "../api/routes/operate.ts";
import { plainError } from "../api/streams.ts";
import type { Operate } from "../operate.ts";
import { EVERYTHING, may } from "../roles.ts";
import type { Answering } from "./answering.ts";
import { failedPage, forbiddenPage, questionPage, refusedPage } from "./notices.ts";
import { findSwitch, SWITCHES, switchQuestion } from "./pause-section.ts";
import { fieldOf, form, isConfirmed } from "./posted.ts";
import { SWEEP_QUESTIONS, sweepPage } from "./sweep-page.ts";

export interface OperatePages extends Answering {
  readonly operate: Operate;
}

export function operatePages(pages: Router, { operate, doing, frameOf, actor, send }: OperatePages): void {
  pages.post("/pause", form, async (request, response) => {
    const [frame, session, name] = [await frameOf(request), actor(request), findSwitch(fieldOf(request, "action"))];
    if (!session) return send(response, 403, refusedPage(frame));
    if (!name) return send(response, 400, refusedPage(frame));
    const seen = { at: fieldOf(request, "at") ?? "", by: fieldOf(request, "by") ?? "" };
    if (name === "resume-all" && seen.at === "") return send(response, 400, refusedPage(frame));
    const { text } = SWITCHES[name];
    const question = switchQuestion(name, seen);
    if (!isConfirmed(request)) {
      const fields = { action: name, ...(name === "resume-all" ? seen : {}) };
      const asked = questionPage({ question, text, to: "/pause", session, fields, backTo: "/", frame });
      return send(response, 200, asked);
    }
    try {
      await doing.note(request, { action: name }, async (by) => {
        if (name === "resume-all") return operate.resumeAll(by, seen);
        await operate.stopAll(by);
      });
    } catch (error) {
      return send(response, 422, failedPage(plainError(error).message, frame));
    }
    // Where a budget stops everything still, the banner says so.
    const isStill = name === "resume-all" && (await operate.pause()) !== undefined;
    response.redirect(303, isStill ? "/" : `/?done=${name}`);
  });

  pages.get("/sweep", async (request, response) => {
    const frame = await frameOf(request);
    const { session } = frame;
    if (!session) return response.redirect(303, "/");
    send(response, 200, sweepPage({ report: await operate.lastSweep(), session, frame }));
  });

  // The report of a look is kept nowhere, so it is the answer itself.
  pages.post("/sweep", form, async (request, response) => {
    const [frame, session] = [await frameOf(request), actor(request)];
    if (!session) return send(response, 403, refusedPage(frame));
    const [action = "", stack = ""] = [fieldOf(request, "action"), fieldOf(request, "stack")];
    const wish = wishOf(action, stack);
    if (!wish) return send(response, 400, refusedPage(frame));
    if (wish.request.confirm !== undefined && !may(session, "administer", EVERYTHING)) {
      await doing.refused(request, { action: "sweep", detail: `to confirm ${stack}` });
      return send(response, 403, forbiddenPage(frame));
    }
    if (wish.question !== undefined && !isConfirmed(request)) {
      const fields = { action, ...(stack ? { stack } : {}) };
      const { question } = wish;
      const asked = questionPage({ question, text: "Remove", to: "/sweep", session, fields, backTo: "/sweep", frame });
      return send(response, 200, asked);
    }
    try {
      const sweep = () => operate.sweep(wish.request);
      const report = await (wish.request.dryRun ? sweep() : doing.note(request, sweepNoted(wish.request), sweep));
      send(response, 200, sweepPage({ report, session, frame }));
    } catch (error) {
      send(response, 422, failedPage(plainError(error).message, frame));
    }
  });
}

function wishOf(action: string, stack: string) {
  if (action === "look") return { request: sweepRequest.parse({ dryRun: true }) };
  if (action === "remove") return { request: sweepRequest.parse({}), question: SWEEP_QUESTIONS.remove() };
  const { data: request } = sweepRequest.safeParse({ confirm: [stack] });
  return action === "confirm" && request ? { request, question: SWEEP_QUESTIONS.confirm(stack) } : undefined;
}
