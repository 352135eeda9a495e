/**
 * What the emulator 0.12.2 lacks about comments and GitHub has (REST API 2022-11-28, "Issue comments" and
 * "Reactions"): reactions to them, lists `since` a time, and that a comment moves its pull request's time.
 */
import { z } from "zod";

export interface Talk {
  /** Contents of the reactions to a comment, oldest first. */
  reactions(comment: number): readonly string[];
  /** To be told of every comment, for the emulator tells nobody. */
  made(number: number, comment: { readonly id: number; readonly created_at: string }): void;
  /** Undefined when the call is about something else. */
  answer(call: Call): { readonly status: number; readonly body: string } | undefined;
  /** The emulator's answer as GitHub would give it. */
  asShown(path: string, text: string): string;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

const sent = z.object({ content: z.enum(["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]) });
const REACTIONS = /^\/repos\/[^/]+\/[^/]+\/issues\/comments\/([0-9]+)\/reactions$/;
const COMMENTS = /^\/repos\/[^/]+\/[^/]+\/issues\/[0-9]+\/comments$/;
const PULLS = /^\/repos\/[^/]+\/[^/]+\/pulls(\/[0-9]+)?$/;

export function createTalk({ url }: { readonly url: string }): Talk {
  const reactions = new Map<number, string[]>();
  const times = new Map<number, string>();

  return {
    reactions: (comment) => reactions.get(comment) ?? [],
    made(number, { id, created_at: at }) {
      reactions.set(id, []);
      times.set(number, at);
    },
    answer({ method, path, body }) {
      const [, id] = REACTIONS.exec(path) ?? [];
      if (!id || method !== "POST") return undefined;
      const held = reactions.get(Number(id));
      if (!held) return { status: 404, body: '{"message":"Not Found"}' };
      const { success, data } = sent.safeParse(JSON.parse(body));
      if (!success) return { status: 422, body: '{"message":"Validation Failed"}' };
      const known = held.includes(data.content);
      if (!known) held.push(data.content);
      const shown = { id: held.indexOf(data.content) + 1, content: data.content, created_at: new Date().toISOString() };
      return { status: known ? 200 : 201, body: JSON.stringify(shown) };
    },
    asShown(path, text) {
      const { pathname, searchParams } = new URL(path, url);
      const since = searchParams.get("since");
      if (COMMENTS.test(pathname) && since) {
        const comments = JSON.parse(text) as { updated_at: string }[];
        return JSON.stringify(comments.filter(({ updated_at: at }) => Date.parse(at) >= Date.parse(since)));
      }
      if (!PULLS.test(pathname)) return text;
      const data = JSON.parse(text) as Pull | Pull[];
      for (const pull of Array.isArray(data) ? data : [data]) {
        const at = times.get(pull.number) ?? "";
        if (at > pull.updated_at) pull.updated_at = at;
      }
      return JSON.stringify(data);
    },
  };
}

interface Pull {
  readonly number: number;
  updated_at: string;
}
