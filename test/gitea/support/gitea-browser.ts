/** A person's browser at a real Gitea, by its own forms: logged in, and asked whether an application may know them. */
import { randomBytes } from "node:crypto";
import type { Gitea, Login } from "../../support/gitea/gitealab.ts";

export interface GiteaBrowser {
  /** Follows an application's address, says yes where it is asked, and ends at the address that it is led back to. */
  consent(url: string): Promise<URL>;
}

export async function browserAt(gitea: Gitea, login: Login): Promise<GiteaBrowser> {
  const cookies = new Map<string, string>();
  const go = async (url: string, form?: URLSearchParams) => {
    const headers = { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") };
    const asked = form ? { method: "POST", body: form } : {};
    const answer = await fetch(new URL(url, gitea.url), { ...asked, headers, redirect: "manual" });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    return { location: answer.headers.get("location"), text: await answer.text(), status: answer.status };
  };
  const password = randomBytes(12).toString("hex");
  await fetch(`${gitea.url}/api/v1/admin/users/${login}`, {
    method: "PATCH",
    headers: { authorization: `token ${gitea.token("acme")}`, "content-type": "application/json" },
    body: JSON.stringify({ login_name: login, source_id: 0, password, must_change_password: false }),
  });
  const page = await go("/user/login");
  const entered = await go("/user/login", new URLSearchParams({ ...hiddenIn(page.text), user_name: login, password }));
  if (entered.location === null) throw new Error(`Gitea does not let "${login}" in: ${entered.status}`);

  return {
    async consent(url) {
      let { location, text, status } = await go(url);
      if (location === null) {
        const form = new URLSearchParams({ ...hiddenIn(text), granted: "true" });
        ({ location, status } = await go("/login/oauth/grant", form));
      }
      if (location === null) throw new Error(`Gitea leads nowhere: ${status}`);
      return new URL(location, gitea.url);
    },
  };
}

function hiddenIn(text: string): Readonly<Record<string, string>> {
  const inputs = text.match(/<input[^>]*type="hidden"[^>]*>/g) ?? [];
  const pairs = inputs.map((one) => [/name="([^"]*)"/.exec(one)?.[1] ?? "", /value="([^"]*)"/.exec(one)?.[1] ?? ""]);
  return Object.fromEntries(pairs.map(([name, value]) => [name, unescaped(value ?? "")]));
}

function unescaped(text: string): string {
  return text.replaceAll("&#43;", "+").replaceAll("&#34;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");
}
