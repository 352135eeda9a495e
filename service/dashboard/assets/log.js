// Fills and follows logs, and takes one up again after it broke off.

const LINES_MAX = 4_000;
const AGAIN_MS = 3_000;
/** As the style sheet has them. */
const KINDS = { step: "step", engine: "engine", problem: "problem", output: "printed" };
/** What of a page is being read, by its place. */
const reading = new WeakMap();

export function followLogs() {
  begin();
  // Another deployment may have come.
  document.addEventListener("htmx:afterSettle", begin);
}

function begin() {
  for (const box of document.querySelectorAll(".log[data-src]")) {
    const { src } = box.dataset;
    const known = reading.get(box);
    if (known?.src === src) continue;
    known?.stop.abort();
    const stop = new AbortController();
    reading.set(box, { src, stop });
    void fill(box, src, stop.signal);
    stick(box, stop.signal);
  }
}

async function fill(box, src, signal) {
  const isNumbered = "began" in box.dataset;
  let last = 0;
  const place = () => box.querySelector("pre");
  place().replaceChildren();
  while (!signal.aborted && box.isConnected) {
    try {
      const url = isNumbered ? `${src}?after=${last}${"follows" in box.dataset ? "&follow=1" : ""}` : src;
      const response = await fetch(url, { signal });
      if (response.status === 401) return refuse(box, place());
      if (response.status >= 500) throw new Error("the service cannot tell just now");
      if (!response.ok) return;
      if (!isNumbered) place().replaceChildren();
      let broke = false;
      await readLines(response.body, (lines) => {
        const rows = lines.flatMap((line) => {
          const before = last;
          last = line.n ?? last;
          broke ||= line.error !== undefined;
          return rowsOf(line, before, box);
        });
        append(box, place(), rows);
      });
      // A deployment's ends when it has ended; what services print goes on with the next version.
      if (isNumbered && !broke) return;
    } catch {
      // It broke off, and is taken up again below.
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** Taken up again once a page that was brought up to date says that they may. */
function refuse(box, place) {
  reading.delete(box);
  append(box, place, rowsOf({ error: { message: "You are signed out: reload the page." } }, 0, box));
}

async function readLines(body, onLines) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    const read = lines.filter(Boolean).map((line) => JSON.parse(line));
    if (read.length > 0) onLines(read);
  }
}

function rowsOf({ n, at, kind, source, service, text, error }, last, box) {
  const row = document.createElement("span");
  row.className = error ? "problem" : (KINDS[kind] ?? "printed");
  const name = document.createElement("b");
  name.textContent = error ? "error" : (source ?? service ?? "");
  if (n !== undefined) row.append(since(at, box.dataset.began));
  else if (at) name.title = at;
  if (name.textContent) row.append(name, " ");
  row.append(`${error ? error.message : text}\n`);
  return n > last + 1 && last > 0 ? [gap(n - last - 1), row] : [row];
}

/** `+12.3 s`, with the moment in the tooltip. */
function since(at, began) {
  const time = document.createElement("time");
  time.dateTime = at;
  time.title = at;
  time.textContent = `${Math.max(0, (Date.parse(at) - Date.parse(began)) / 1000).toFixed(1)} s`;
  return time;
}

function gap(count) {
  const row = document.createElement("span");
  row.className = "gap";
  row.textContent = `… ${count} lines left out …\n`;
  return row;
}

function append(box, place, rows) {
  const follows = box.querySelector("[data-follow]")?.checked;
  place.append(...rows);
  while (place.childElementCount > LINES_MAX) place.firstElementChild.remove();
  if (follows) place.scrollTop = place.scrollHeight;
}

/** Whoever scrolls up reads, and is not moved. */
function stick(box, signal) {
  const follow = box.querySelector("[data-follow]");
  const place = box.querySelector("pre");
  const isAtEnd = () => place.scrollHeight - place.scrollTop - place.clientHeight < 40;
  const onScroll = () => {
    follow.checked = isAtEnd();
  };
  const onChange = () => {
    if (follow.checked) place.scrollTop = place.scrollHeight;
  };
  place.addEventListener("scroll", onScroll, { signal });
  follow.addEventListener("change", onChange, { signal });
}
