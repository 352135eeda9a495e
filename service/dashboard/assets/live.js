// Fetches the page again after a change and takes over what differs, so that focus, scroll and open parts stay.

const live = document.querySelector("#live");
const { liveUrl } = document.body.dataset;

export function keepUpToDate() {
  if (live && liveUrl) {
    let first = true;
    const events = new EventSource(liveUrl);
    events.addEventListener("message", () => {
      // The first event says how things were when the page was rendered.
      if (first) first = false;
      else void refresh();
    });
    setInterval(refresh, 60_000);
    document.addEventListener("visibilitychange", refresh);
  }
  return { show: takeOver, refresh: fetchAgain };
}

const SPACED_MS = 1_000;
let running = false;
let asked = false;

/** One at a time and not too often: many previews may change at once, and a page of them is no small answer. */
async function refresh() {
  asked = !document.hidden;
  if (!asked || running) return;
  running = true;
  while (asked) {
    asked = false;
    await fetchAgain();
    await new Promise((resolve) => setTimeout(resolve, SPACED_MS));
  }
  running = false;
}

async function fetchAgain() {
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    takeOver(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The service is being restarted; the next event or minute tries again.
  }
}

function takeOver(page) {
  const next = page.querySelector("#live");
  if (next && live && next.innerHTML !== live.innerHTML) alignChildren(live, next);
}

/** Elements of the same place and name are kept, those with an id only as themselves and unmoved where that can be. */
function alignChildren(here, wanted) {
  const ids = new Set([...wanted.children].map(({ id }) => id).filter(Boolean));
  let at = here.firstChild;
  for (const next of [...wanted.childNodes]) {
    const found = next.id ? [...here.children].find(({ id }) => id === next.id) : undefined;
    while (found && at !== found && !ids.has(at.id)) at = removed(at);
    if (found && at !== found) here.insertBefore(found, at);
    else if (!found && !(at && isAlike(at, next))) {
      here.insertBefore(document.importNode(next, true), at);
      continue;
    }
    const kept = found ?? at;
    align(kept, next);
    at = kept.nextSibling;
  }
  while (at) at = removed(at);
}

/** Returns what stood behind it. */
function removed(node) {
  const { nextSibling } = node;
  node.remove();
  return nextSibling;
}

function isAlike(here, next) {
  // A button that became another one must not keep the focus: the next key would press it.
  if (here.nodeName === "BUTTON" && here.value !== next.value) return false;
  return here.nodeName === next.nodeName && !here.id && !next.id;
}

function align(here, next) {
  if (here.nodeType === Node.TEXT_NODE) {
    if (here.data !== next.data) here.data = next.data;
    return;
  }
  if (here.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name } of [...here.attributes]) {
    // What a person opened stays open.
    if (name !== "open" && !next.hasAttribute(name)) here.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) if (here.getAttribute(name) !== value) here.setAttribute(name, value);
  alignChildren(here, next);
}
