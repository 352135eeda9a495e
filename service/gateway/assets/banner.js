// The banner on a preview's pages. It shows texts and links and nothing else: no markup of anybody's goes in.
(() => {
  const FACTS = "/.stackling/banner.json";
  const SMALL = "stackling-banner-small";
  const ASK_MS = 60_000;
  const ASK_BUSY_MS = 10_000;
  /** A page that never ends gets its banner all the same. */
  const PATIENCE_MS = 1_500;
  /** Pages that throw everything out get it back, but nobody fights over it. */
  const RETURNS_MAX = 5;

  const tag = document.currentScript;
  if (!tag || window !== window.top) return;
  const { nonce } = tag;
  const { style } = tag.dataset;
  tag.remove();
  // As it is now: pages lay their own over it later.
  const ask = window.fetch.bind(window);

  let first;
  let facts;
  let timer;

  const host = document.createElement("stackling-banner");
  // Until its style sheet is there, which makes it visible.
  host.style.display = "none";
  const shadow = host.attachShadow({ mode: "closed" });
  const view = build();

  load().then(async (loaded) => {
    if (!loaded) return;
    await pageIsThere();
    // Frames fill a whole page, and there is no body to stand over.
    if (document.body instanceof HTMLFrameSetElement) return;
    stay();
    askAgain();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void load().then(askAgain);
    });
  });

  async function load() {
    try {
      const answer = await ask(FACTS, { cache: "no-store", credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return false;
      facts = await answer.json();
      first ??= facts;
      view.show(facts, first);
      return true;
    } catch {
      return false;
    }
  }

  function askAgain() {
    clearTimeout(timer);
    if (document.visibilityState !== "visible") return;
    timer = setTimeout(() => load().then(askAgain), facts.notice?.tone === "busy" ? ASK_BUSY_MS : ASK_MS);
  }

  function pageIsThere() {
    if (document.readyState !== "loading") return Promise.resolve();
    return new Promise((resolve) => {
      document.addEventListener("DOMContentLoaded", resolve, { once: true });
      setTimeout(resolve, PATIENCE_MS);
    });
  }

  function stay() {
    document.documentElement.append(host);
    let returns = 0;
    const guard = new MutationObserver(() => {
      const root = document.documentElement;
      if (host.isConnected || !root) return;
      returns += 1;
      if (returns >= RETURNS_MAX) guard.disconnect();
      else guard.observe(root, { childList: true });
      root.append(host);
    });
    guard.observe(document, { childList: true });
    guard.observe(document.documentElement, { childList: true });
  }

  function build() {
    const sheet = element("link", { rel: "stylesheet", href: style, nonce });
    const number = element("bdi", { class: "number" });
    const title = element("bdi", { class: "title" });
    const commit = element("code", {});
    const mark = element("span", { class: "mark", ariaHidden: "true" });
    const open = element("button", { class: "open", type: "button", ariaExpanded: "false" }, [
      mark,
      element("b", {}, ["Preview – not production"]),
      element("span", { class: "what" }, [number, title, commit]),
      element("span", { class: "arrow", ariaHidden: "true" }),
    ]);
    open.setAttribute("aria-controls", "panel");
    const fold = element("button", { class: "fold", type: "button" }, [element("span", { ariaHidden: "true" }, ["–"])]);
    const panel = element("div", { class: "panel", id: "panel", hidden: true });
    const status = element("p", { class: "status", role: "status" });
    const strip = element("div", { class: "strip" }, [open, fold]);
    const banner = element("section", { class: "banner", ariaLabel: "Preview, not production" }, [
      panel,
      status,
      strip,
    ]);
    shadow.append(sheet, banner);

    const setSmall = (small) => {
      banner.classList.toggle("small", small);
      fold.ariaLabel = small ? `Show the banner of preview ${number.textContent}` : "Make the banner small";
      fold.title = fold.ariaLabel;
      fold.firstChild.textContent = small ? number.textContent : "–";
      open.hidden = small;
      if (small) setOpen(false);
    };
    const setOpen = (isOpen) => {
      panel.hidden = !isOpen;
      open.ariaExpanded = String(isOpen);
    };
    let isSmall = remembered();
    fold.addEventListener("click", () => {
      isSmall = !isSmall;
      remember(isSmall);
      setSmall(isSmall);
    });
    open.addEventListener("click", () => setOpen(panel.hidden));
    banner.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      event.stopPropagation();
      setOpen(false);
      open.focus();
    });
    // Keys pressed in the banner are none of the page's shortcuts.
    for (const name of ["keydown", "keyup", "keypress"])
      banner.addEventListener(name, (event) => event.stopPropagation());

    let shown;
    return {
      show(now, before) {
        const text = JSON.stringify([now, before.commit]);
        if (text === shown) return;
        shown = text;
        const at = /[#@]/.exec(now.key)?.index ?? 0;
        number.textContent = now.key.slice(at);
        title.textContent = now.title ?? "";
        commit.textContent = now.commit?.short ?? "";
        const isNewer = now.commit && before.commit && now.commit.short !== before.commit.short;
        const notice = isNewer
          ? {
              tone: "good",
              text: `Version ${now.commit.short} serves now; this page is of ${before.commit.short}. Reload it.`,
            }
          : now.notice;
        mark.className = `mark ${notice?.tone ?? ""}`;
        // Said again only when it changed.
        if (status.textContent !== (notice?.text ?? "")) status.textContent = notice?.text ?? "";
        panel.replaceChildren(...panelOf(now));
        setSmall(isSmall);
      },
    };
  }

  function panelOf({ key, title, commit, database, remarks, links, users, code }) {
    const rows = [
      ["Preview", [element("bdi", {}, [title ? `${key} · ${title}` : key])]],
      commit && [
        "Commit",
        [commit.url ? link(commit.url, element("code", {}, [commit.short])) : element("code", {}, [commit.short])],
      ],
      database && [
        "Database",
        [
          element("code", {}, [database.branch]),
          ...(database.scenario ? [" with ", element("code", {}, [database.scenario])] : []),
        ],
      ],
      users.length > 0 && ["Log in as", users.map((user) => link(user.url, element("bdi", {}, [user.title]), true))],
    ];
    return [
      element("p", { class: "lead" }, ["This is a preview, not production."]),
      ...remarks.map((text) => element("p", { class: "remark" }, [text])),
      element("div", { class: "about" }, [
        element(
          "dl",
          {},
          rows
            .filter(Boolean)
            .map(([name, what]) => element("div", {}, [element("dt", {}, [name]), element("dd", {}, what)])),
        ),
        ...(code ? [picture(code)] : []),
      ]),
      element(
        "p",
        { class: "links" },
        links.map(({ name, url }) => link(url, name)),
      ),
    ];
  }

  function link(url, text, stays = false) {
    const a = element("a", {}, [text]);
    // Nothing but the web's own addresses: no script hides behind a link.
    if (/^(https?:\/\/|\/(?!\/))/i.test(url)) a.href = url;
    if (!stays) {
      a.target = "_blank";
      a.rel = "noopener noreferrer";
    }
    return a;
  }

  function picture({ size, path }) {
    const SVG = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(SVG, "svg");
    const dark = document.createElementNS(SVG, "path");
    svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "QR code of this preview's link, for a phone");
    dark.setAttribute("d", path);
    svg.append(dark);
    return svg;
  }

  function element(name, properties, children = []) {
    const made = document.createElement(name);
    const { class: className = "", role, nonce: own, ...others } = properties;
    if (className) made.className = className;
    if (role) made.setAttribute("role", role);
    if (own) made.setAttribute("nonce", own);
    Object.assign(made, others);
    made.append(...children);
    return made;
  }

  // Storage may be shut off, and then reading it throws.
  function remembered() {
    try {
      return localStorage.getItem(SMALL) === "yes";
    } catch {
      return false;
    }
  }

  function remember(isSmall) {
    try {
      if (isSmall) localStorage.setItem(SMALL, "yes");
      else localStorage.removeItem(SMALL);
    } catch {
      // It is small until the next page, then.
    }
  }
})();
