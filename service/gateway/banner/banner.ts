/** The banner that people find on every page of a preview: what they look at, that it is not production, and where to go from here. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { cookieOf } from "../../api/access.ts";
import { previewView } from "../../api/preview-view.ts";
import type { OperatorConfig } from "../../config/types.ts";
import { BYPASS_COOKIE, BYPASS_HEADER } from "../access/own-paths.ts";
import type { Route } from "../routes.ts";
import { bannerFacts } from "./facts.ts";
import { FACTS_PATH, isBannerPath, SCRIPT_PATH, STYLE_PATH, sendBannerFile } from "./files.ts";
import { isOffAt, rulesFor } from "./off.ts";
import type { PageBanner } from "./page.ts";

export interface BannerDeps {
  readonly config: Pick<OperatorConfig, "banner" | "repositories">;
  readonly scheme: "http" | "https";
  /** Address of Stackling's own pages, for links. */
  readonly homeUrl: string;
}

export interface Banner {
  /** Answers where a file of the banner's own is asked for; false: it is none. */
  answers(route: Route, request: IncomingMessage, response: ServerResponse): boolean;
  /** What the page that is asked for is to carry; undefined for what is no page to be shown, and where the banner is off. */
  pageFor(route: Route, request: IncomingMessage): PageBanner | undefined;
}

const NONCE_BYTES = 16;

/** Costs a request that is no page's two comparisons; of a page, nothing is asked of the store. */
export function createBanner({ config, scheme, homeUrl }: BannerDeps): Banner {
  const rulesOf = rulesFor(config);
  // Routes are made anew with every change of their preview, and with them what was said of it.
  const known = new WeakMap<Route, string>();
  const tell = (route: Route): string => {
    const view = previewView(route.preview);
    const url = view.urls[route.service ?? ""] ?? view.url ?? `${scheme}://${route.host}`;
    return JSON.stringify(bannerFacts({ view, url, homeUrl, hasDoor: route.guard !== undefined }));
  };
  const factsOf = (route: Route): string => {
    const facts = known.get(route) ?? tell(route);
    known.set(route, facts);
    return facts;
  };

  return {
    answers(route, request, response) {
      if (!isBannerPath(request.url ?? "")) return false;
      sendBannerFile(request, response, () => factsOf(route));
      return true;
    },
    pageFor(route, { method, url = "/", headers, httpVersion }) {
      if (headers["sec-fetch-dest"] !== "document" || method !== "GET" || httpVersion === "1.0") return undefined;
      if (isOffAt(rulesOf(route.preview), url) || isOfTests(headers)) return undefined;
      const origin = `${scheme}://${headers.host}`;
      const nonce = randomBytes(NONCE_BYTES).toString("base64");
      return {
        markup: `<script async src="${SCRIPT_PATH}" data-style="${STYLE_PATH}" nonce="${nonce}"></script>`,
        sources: {
          script: `${origin}${SCRIPT_PATH}`,
          style: `${origin}${STYLE_PATH}`,
          facts: `${origin}${FACTS_PATH}`,
          nonce,
        },
      };
    },
  };
}

/** Test runners want an application's page, with nothing before its buttons. */
function isOfTests(headers: IncomingMessage["headers"]): boolean {
  return headers[BYPASS_HEADER] !== undefined || cookieOf(headers.cookie, BYPASS_COOKIE) !== undefined;
}
