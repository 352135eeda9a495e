// Sends forms in place, says what came of them, and asks before what cannot be undone.

const outcome = document.querySelector("#outcome");
const FAILED = "That could not be done. Reload the page and try again.";

/** `show` takes over a page as it was answered, `refresh` fetches the one that is open. */
export function askBeforeSending({ show, refresh }) {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    if (form.method !== "post") return;
    const isSent = form.ariaBusy === "true";
    const question = button?.dataset.question;
    if (!isSent && !question && "leaves" in form.dataset) {
      markBusy(form);
      return;
    }
    event.preventDefault();
    if (!isSent) void send({ form, button, question, show, refresh });
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[aria-busy]")) form.ariaBusy = null;
  });
}

async function send({ form, button, question, show, refresh }) {
  if (question && !(await isSure(question, button))) return;
  const fields = new URLSearchParams(new FormData(form, button));
  if (question) fields.set("confirmed", "yes");
  if ("leaves" in form.dataset) {
    leave(form, fields);
    return;
  }
  markBusy(form);
  try {
    const response = await fetch(addressOf(form), { method: "POST", body: fields });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const told = page.querySelector("#outcome");
    if (response.ok && isHere(response.url)) show(page);
    else if (response.ok) await refresh();
    say(told?.textContent || (response.ok ? "" : FAILED), !response.ok);
  } catch {
    say("The service does not answer. Try again in a moment.", true);
  } finally {
    form.ariaBusy = null;
    if (document.activeElement === document.body) outcome.focus();
  }
}

/** The answer to a button that stands on several pages may be another one. */
function isHere(address) {
  const { pathname, searchParams } = new URL(address);
  for (const name of ["done", "of"]) searchParams.delete(name);
  return pathname === location.pathname && `${searchParams}` === `${new URLSearchParams(location.search)}`;
}

/** A dialog of the page, for it can be read, styled and left by Escape. */
function isSure(question, button) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.id = "question";
  text.textContent = question;
  dialog.setAttribute("aria-labelledby", "question");
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "actions";
  const [no, yes] = [answer("Cancel", "no"), answer(button.ariaLabel ?? button.textContent, "yes")];
  yes.className = "danger";
  form.append(yes, no);
  dialog.append(text, form);
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

function answer(text, value) {
  const button = document.createElement("button");
  button.textContent = text;
  button.value = value;
  return button;
}

function leave(form, fields) {
  const sent = document.createElement("form");
  sent.method = "post";
  sent.action = addressOf(form);
  sent.hidden = true;
  for (const [name, value] of fields) {
    const field = document.createElement("input");
    [field.type, field.name, field.value] = ["hidden", name, value];
    sent.append(field);
  }
  document.body.append(sent);
  markBusy(form);
  sent.submit();
}

/** Its buttons are named "action", and hide the property of that name. */
function addressOf(form) {
  return form.getAttribute("action");
}

function markBusy(form) {
  form.ariaBusy = "true";
}

function say(text, failed) {
  outcome.className = failed ? "failed" : "";
  outcome.textContent = text;
}
