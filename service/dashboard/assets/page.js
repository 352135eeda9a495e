// Makes the pages lively: fetches them again after a change, follows the log, asks before what cannot be undone.

const live = document.querySelector("#live");
const { liveUrl } = document.body.dataset;

if (live && liveUrl) {
  let first = true;
  const events = new EventSource(liveUrl);
  events.addEventListener("message", () => {
    // The first event says how things were when the page was rendered.
    if (first) first = false;
    else void refresh();
  });
  setInterval(refresh, 60_000);
}

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    const next = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("#live");
    if (!next || next.innerHTML === live.innerHTML || live.contains(document.activeElement)) return;
    // What a person opened stays open.
    const isOpen = !!live.querySelector("details[open]");
    live.replaceChildren(...next.childNodes);
    if (isOpen) for (const element of live.querySelectorAll("details")) element.open = true;
  } catch {
    // The service is being restarted; the next event or minute tries again.
  }
}

document.addEventListener("visibilitychange", () => live && liveUrl && refresh());

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

const LINES_MAX = 2_000;
const log = document.querySelector("#log");
if (log) void follow(log);

async function follow(element) {
  for (;;) {
    try {
      element.replaceChildren();
      const response = await fetch(element.dataset.src);
      if (!response.ok) return;
      await readLines(response.body, (line) => append(element, line));
    } catch {
      // The stream broke off; it is taken up again below.
    }
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  }
}

async function readLines(body, onLine) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line) onLine(JSON.parse(line));
  }
}

function append(element, { service, text, at, error }) {
  const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
  const row = document.createElement("span");
  const name = document.createElement("b");
  name.textContent = error ? "error" : service;
  if (at) name.title = at;
  row.append(name, ` ${error ? error.message : text}\n`);
  element.append(row);
  while (element.childElementCount > LINES_MAX) element.firstElementChild.remove();
  if (atEnd) element.scrollTop = element.scrollHeight;
}
