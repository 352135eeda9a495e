// Keeps the list fresh while somebody looks at it. The one that is open stays as it is: somebody reads it.
const minute = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
const zone = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", ...minute });
const clock = new Intl.DateTimeFormat(undefined, minute);
const RETRY_MS = 3000;

/** In the reader's own zone; of today the hour is enough. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const isToday = at.toDateString() === new Date().toDateString();
    time.textContent = (isToday ? clock : zone).format(at);
  }
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || !(answer.headers.get("content-type") ?? "").includes("text/html")) throw new Error("no inbox");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const selector of ["#list", "#count", "header form"]) {
    const fresh = page.querySelector(selector);
    if (!fresh) throw new Error("no inbox");
    localTimes(fresh);
    document.querySelector(selector).replaceWith(document.adoptNode(fresh));
  }
  confirmed();
}

function confirmed() {
  document.querySelector("header form").addEventListener("submit", (event) => {
    if (!confirm("Delete everything in this inbox?")) event.preventDefault();
  });
}

function shown() {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

async function watch() {
  for (;;) {
    await shown();
    try {
      const after = document.querySelector("#list").dataset.newest;
      const answer = await fetch(`/inbox/messages?limit=1&wait=20&after=${encodeURIComponent(after)}`);
      if (!answer.ok) throw new Error("no inbox");
      if ((await answer.json()).messages.length > 0) await refresh();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

localTimes(document);
confirmed();
watch();
