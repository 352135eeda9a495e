// Takes over what changed, so that focus, scroll and open parts stay: htmx fetches it, idiomorph puts it in.

/** Between two looks at the whole page, however much changes. */
const SPACED_MS = 1_000;
/** Changed rows come at once, their order and what is counted soon. */
const WHOLE_AFTER_MS = 3_000;
/** What is said of times, such as "5 min ago". */
const AGES_MS = 60_000;
const NOT_LIVE_AFTER_MS = 2_000;
/** After a request that did not come through: a network that is away is not asked without a pause. */
const AGAIN_AFTER_MS = 2_000;
/** More are fetched as the page that they are on. */
const ROWS_MAX = 20;

const changed = new Set();
let wholePage = false;
let running = false;
/** The page's own request was answered, by a service that could not do it just now. */
let failed = false;
/** Whoever looks may see this page no more: nothing is asked for until they look again. */
let over = false;
let wholeSoon;
let source;
let notLiveSoon;

export function keepUpToDate() {
  Object.assign(Idiomorph.defaults.callbacks, { beforeAttributeUpdated, beforeNodeMorphed });
  document.addEventListener("htmx:responseError", onRefused);
  if (!stream()) return;
  // At most one, also when it is tried again while the page is not looked at.
  htmx.createEventSource = (url) => {
    source?.close();
    source = new EventSource(url);
    if (over) source.close();
    return source;
  };
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    event.preventDefault();
    take(JSON.parse(event.detail.data));
  });
  document.addEventListener("htmx:sseOpen", onOpen);
  document.addEventListener("htmx:sseError", onError);
  document.addEventListener("visibilitychange", onSight);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", ({ persisted }) => persisted && onSight());
  setInterval(refresh, AGES_MS);
}

/** The page that is open, as it is now. */
export async function refresh() {
  wholePage = true;
  await work();
}

/** What a person opened stays open, and what was typed or chosen stays as it is. */
function beforeAttributeUpdated(name, node) {
  if (node.nodeName === "DETAILS") return name !== "open";
  if (node.nodeName === "OPTION") return name !== "selected" || node.parentElement !== document.activeElement;
  const isTyped = "defaultValue" in node && node.type !== "hidden" && node.value !== node.defaultValue;
  return name !== "value" || !isTyped;
}

/** What a script fills stays as it is filled. A button that becomes another must not keep the focus: a key would press it. */
function beforeNodeMorphed(node, next) {
  if ("keeps" in (node.dataset ?? {}) && node.id === next.id) return false;
  if (node.nodeName === "BUTTON" && node === document.activeElement && node.value !== next.value) node.blur();
  return true;
}

function stream() {
  return document.querySelector("#stream");
}

/** `null`: more than can be said. */
function take({ keys }) {
  if (keys === null) wholePage = true;
  else for (const key of keys) changed.add(key);
  void work();
}

/** One request at a time; what changes meanwhile waits for the next. */
async function work() {
  if (running) return;
  running = true;
  while ((wholePage || changed.size > 0) && !document.hidden && !over) {
    const keys = [...changed];
    changed.clear();
    const rows = wholePage ? undefined : rowsUrl(keys);
    wholePage = false;
    if (!(await cameThrough(rows === undefined ? fetchPage() : fetchRows(rows)))) {
      wholePage = true;
      await pause(AGAIN_AFTER_MS);
    } else if (rows === undefined) await pause(SPACED_MS);
    else if (!wholeSoon) wholeSoon = setTimeout(wholeNow, WHOLE_AFTER_MS);
  }
  running = false;
}

function wholeNow() {
  wholeSoon = undefined;
  void refresh();
}

/** Undefined where the page has no such rows, or not all of them. */
function rowsUrl(keys) {
  const url = document.querySelector("#live [data-rows]")?.dataset.rows;
  const has = (key) => document.querySelector(`#live [data-key="${CSS.escape(key)}"]`);
  if (url === undefined || keys.length > ROWS_MAX || !keys.every(has)) return undefined;
  return keys.reduce((address, key) => `${address}&key=${encodeURIComponent(key)}`, url);
}

/** Htmx rejects where the network fails, and where the service does it says so on the way: what changed is then still to be shown. */
function cameThrough(request) {
  failed = false;
  return request.then(
    () => !failed,
    () => false,
  );
}

/** What a session or a right that ended shows is not brought up to date: the page must not look as if it were. */
function onRefused({ target, detail: { xhr } }) {
  const isPage = target === stream();
  if (xhr.status === 401) end("Signed out");
  else if (xhr.status >= 500) failed ||= isPage;
  else if (isPage) end("Not live");
}

function end(text) {
  over = true;
  source?.close();
  stayCalm();
  say(text, "Reload");
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function fetchRows(rows) {
  await htmx.ajax("GET", rows, { source: stream(), swap: "none" });
}

async function fetchPage() {
  const parts = { source: stream() ?? document.body, target: "#live", select: "#live", swap: "morph" };
  await htmx.ajax("GET", location.pathname + location.search, parts);
}

function onOpen() {
  stayCalm();
  say("");
  if (document.hidden) source.close();
}

/** A moment without it is not worth a word. Why it was refused is told to the page, not to its stream. */
function onError() {
  if (over) return;
  if (source.readyState === EventSource.CLOSED) void refresh();
  if (!notLiveSoon) notLiveSoon = setTimeout(() => say("Not live"), NOT_LIVE_AFTER_MS);
}

function stayCalm() {
  clearTimeout(notLiveSoon);
  notLiveSoon = undefined;
}

/** In the background nothing is asked for, and no connection is held: a browser has few for one host. */
function onSight() {
  if (document.hidden) {
    source?.close();
    return;
  }
  // They may have signed in again on another page.
  over = false;
  const next = stream().cloneNode();
  stream().replaceWith(next);
  htmx.process(next);
  void refresh();
}

/** With what is offered: to load the page anew. */
function say(text, offer) {
  const place = document.querySelector("#connection");
  const words = [text, offer].filter(Boolean).join(" · ");
  if (place.textContent === words) return;
  place.textContent = offer ? `${text} · ` : text;
  if (!offer) return;
  const link = document.createElement("a");
  link.href = location.pathname + location.search;
  link.textContent = offer;
  place.append(link);
}
