/**
 * Lets a visitor be a user of the application's seeds: by a token that names the user, is signed for this one preview,
 * and holds for a minute. It is only made where the visitor asked for it on the preview's own host.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { mainUrl } from "../../addresses.ts";
import { isForeign } from "../../api/access.ts";
import type { LoginKeys } from "../../login-keys.ts";
import { hostNameOf } from "../routes.ts";
import { readForm } from "./form.ts";
import { type LoginPage, sendLoginPage } from "./login-page.ts";
import { LOGIN_PATH } from "./own-paths.ts";
import type { Exchange } from "./porter.ts";

/** `wait`: it has to wake first. `away`: to an address of the same preview. */
export type SeededLogin = (
  exchange: Exchange,
) => Promise<{ readonly kind: "wait" | "answered" } | { readonly kind: "away"; readonly url: string }>;

export function createSeededLogin({ keys }: { readonly keys: LoginKeys }): SeededLogin {
  return async (exchange) => {
    const { route, request } = exchange;
    const { login } = route.preview.status.live ?? {};
    const home = mainUrl(route.preview);
    const show = (told: Pick<LoginPage, "users" | "notice">) => {
      sendLoginPage({ ...exchange, key: route.key, ...told });
      return { kind: "answered" } as const;
    };
    if (!login || home === undefined) return show({ users: [], notice: "none" });
    const isPost = request.method === "POST";
    if (isPost && isForeign(request)) return show({ users: login.users, notice: "foreign" });
    const asked = isPost ? await readForm(request) : new URL(request.url ?? "/", home).searchParams;
    const name = asked?.get("as") ?? undefined;
    const again = name === undefined ? LOGIN_PATH : `${LOGIN_PATH}?${new URLSearchParams({ as: name }).toString()}`;
    if (hostNameOf(new URL(home).host) !== route.host) return { kind: "away", url: new URL(again, home).href };
    const user = login.users.find((one) => one.name === name);
    if (user && login.key !== keys.publicOf(route.stack)) return show({ users: [], notice: "stale" });
    // A link from elsewhere must not make somebody be a user unawares: it is asked first. While it wakes, the page that
    // waits asks anew by itself, and that is no link from elsewhere any more.
    if (user && !isPost && !isClickedHere(request)) return show({ users: [user] });
    if (route.door !== "serve") return isPost ? { kind: "away", url: new URL(again, home).href } : { kind: "wait" };
    if (name === undefined) return show({ users: login.users });
    if (!user) return show({ users: login.users, notice: "unknown" });
    const audience = new URL(home).origin;
    const token = await keys.sign(route.stack, {
      user: user.name,
      audience,
      id: randomBytes(16).toString("base64url"),
    });
    const url = new URL(login.path, home);
    url.searchParams.set("token", token);
    return { kind: "away", url: url.href };
  };
}

/** On a page of this very host, as browsers say and no page can. */
export function isClickedHere({ headers }: IncomingMessage): boolean {
  return headers["sec-fetch-site"] === "same-origin" && headers["sec-fetch-dest"] === "document";
}
