/** There and back again: a visitor logs in elsewhere, and comes home to the preview it began at. */
import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { cookieOf } from "../../api/access.ts";
import { sameSecret } from "../../session.ts";
import type { SignIn, Visitor } from "./door.ts";
import { cookieName } from "./own-paths.ts";
import type { Passes } from "./passes.ts";
import { CALLBACK_PATH, RELAY } from "./relay.ts";

export interface LoginDeps {
  readonly passes: Passes;
  readonly scheme: "http" | "https";
  /** Domain of the gateway with its port, as in the config. */
  readonly domain: string;
  readonly now: () => Date;
}

export interface Away {
  readonly url: string;
  /** Stays with the browser, and binds what comes back to it. */
  readonly cookie: string;
}

/** `unknown`: this browser began no such login, or too long ago. */
export type Returned<Who = true> =
  | { readonly kind: "welcome"; readonly to: string; readonly mark: string; readonly who: Who }
  | { readonly kind: "unknown" | "denied" | "stranger"; readonly to: string };

const LIFE_MS = 10 * 60_000;
const TO_MAX = 1_000;

/** What one can log in at: a preview's door, or the pages. */
export interface LoginDoor<Who = boolean> {
  readonly name: string;
  readonly mark?: () => Promise<string>;
  readonly signsIn?: SignIn<Who>;
}

export function createLogin({ passes, scheme, domain, now }: LoginDeps) {
  const callback = `${scheme}://${domain}${CALLBACK_PATH}`;
  const name = cookieName("login", scheme, domain);

  return {
    /** Name of the cookie. */
    name,
    seconds: LIFE_MS / 1000,

    /** `undefined` where the door has no login. `authority` is the host with its port, to come back to. */
    async begin(door: LoginDoor<unknown>, visitor: Visitor, way: { readonly to: string; readonly authority: string }) {
      const until = new Date(now().getTime() + LIFE_MS);
      const home = { host: way.authority, once: randomBytes(16).toString("base64url") };
      const state = await passes.issue("state", RELAY, { opened: [], until, kept: home });
      const begun = await door.signsIn?.begin({ callback, state }, visitor);
      if (!begun) return undefined;
      const kept = { ...begun.kept, to: way.to.length > TO_MAX ? "/" : way.to, state: digest(state) };
      const cookie = await passes.issue("login", visitor.host, { opened: [door.name], until, kept });
      return { url: begun.url, cookie } satisfies Away;
    },

    async finish<Who>(
      request: Pick<IncomingMessage, "url" | "headers">,
      visitor: Visitor,
      doors: readonly LoginDoor<Who>[],
    ): Promise<Returned<NonNullable<Who>>> {
      const { search, searchParams } = new URL(request.url ?? "/", "http://preview");
      const cookie = cookieOf(request.headers.cookie, name);
      const pass = cookie === undefined ? undefined : await passes.read("login", visitor.host, cookie);
      const { to = "/", state: expected = "", ...kept } = pass?.kept ?? {};
      const state = searchParams.get("state") ?? "";
      const door = doors.find((one) => one.name === pass?.opened[0]);
      if (!door?.signsIn || !door.mark || !sameSecret(digest(state), expected)) return { kind: "unknown", to };
      if (searchParams.has("error")) return { kind: "denied", to };
      const who = await door.signsIn.finish(new URL(`${callback}${search}`), { ...kept, state }, visitor);
      return who ? { kind: "welcome", to, mark: await door.mark(), who } : { kind: "stranger", to };
    },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
