// Follows a preview's log, and takes it up again after it broke off.

const LINES_MAX = 2_000;

export async function followLog(element) {
  while (element) {
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
