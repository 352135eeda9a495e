/** What a person takes along to a forge and brings back: nothing is kept meanwhile, so that any replica takes it. */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { type Session, sameSecret } from "./session.ts";

export interface SetupStates<Body> {
  /** The value of `state`, signed. */
  give(body: Body, session: Session): string;
  /** What was given; undefined where it is not ours, not this session's or too old. */
  take(state: string, session: Session): Body | undefined;
  /** A secret of that very state, made anew each time: the proof key of an exchange (RFC 7636). */
  proofOf(state: string, session: Session): string;
}

export interface SetupStatesDeps<Body> {
  /** From which the key is made, with what it is for. */
  readonly secret: string;
  readonly purpose: string;
  readonly shape: z.ZodType<Body>;
  readonly lifeMs: number;
  readonly now: () => Date;
}

export function createSetupStates<Body>(deps: SetupStatesDeps<Body>): SetupStates<Body> {
  const { shape, lifeMs, now } = deps;
  const key = createHmac("sha256", deps.secret).update(`stackling ${deps.purpose}`).digest();
  // With the session's own value in it: no other session can come back with it.
  const sign = (what: string, text: string, { csrf }: Session) =>
    createHmac("sha256", key).update(`${what}.${text}.${csrf}`).digest("base64url");
  const sent = z.object({ body: shape, until: z.number() });

  return {
    give(body, session) {
      const until = now().getTime() + lifeMs;
      const text = Buffer.from(JSON.stringify({ body, until })).toString("base64url");
      return `${text}.${sign("state", text, session)}`;
    },
    take(state, session) {
      const [text = "", mac = ""] = state.split(".");
      if (!sameSecret(mac, sign("state", text, session))) return undefined;
      const { data } = sent.safeParse(jsonOf(text));
      return data && data.until >= now().getTime() ? data.body : undefined;
    },
    proofOf: (state, session) => sign("proof", state, session),
  };
}

/** Signed by us, and maybe by a version that wrote it otherwise. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
