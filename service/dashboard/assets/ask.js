// Asks before what cannot be undone, and says what came of a form that was sent in place.
import { refresh } from "./live.js";

const FAILED = "That could not be done. Reload the page and try again.";
const AWAY = "The service does not answer. Try again in a moment.";
const CHANGED = "Nothing was done: what you were asked about has changed meanwhile. Look at it, and ask again.";

export function askBeforeSending() {
  // Before the form itself hears of it.
  document.addEventListener("submit", onSubmit, { capture: true });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[aria-busy]")) form.ariaBusy = null;
  });
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    const button = detail.triggeringEvent?.submitter;
    if (button?.name) detail.parameters[button.name] = button.value;
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (isPosted(detail)) takeAnswer(detail);
  });
  document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
    if (!isPosted(detail)) return;
    target.ariaBusy = null;
    if (document.activeElement === document.body) outcome().focus();
  });
  document.addEventListener("htmx:sendError", ({ detail }) => isPosted(detail) && say(AWAY));
}

function onSubmit(event) {
  const { target: form, submitter: button } = event;
  if (form.method !== "post") return;
  const isSent = form.ariaBusy === "true";
  const { question } = button?.dataset ?? {};
  const asks = question && !form.elements.namedItem("confirmed");
  if (!isSent && !asks) {
    form.ariaBusy = "true";
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  if (!isSent) void ask(form, button, question);
}

/** The page goes on changing behind the dialog: a yes is to what was asked, such as one commit, and to nothing newer. */
async function ask(form, button, question) {
  const asked = whatIsSent(form, button);
  if (!(await isSure(question, button))) return;
  if (!button.isConnected || whatIsSent(form, button) !== asked) {
    say(CHANGED);
    outcome().focus();
    return;
  }
  const yes = document.createElement("input");
  [yes.type, yes.name, yes.value] = ["hidden", "confirmed", "yes"];
  form.append(yes);
  form.requestSubmit(button);
  yes.remove();
}

function whatIsSent(form, button) {
  return JSON.stringify([form.action, button.dataset.question, ...new FormData(form, button)]);
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

function isPosted({ requestConfig }) {
  return requestConfig?.verb === "post";
}

/** What was said is always shown; the rest only where the answer is the page that is open. */
function takeAnswer(detail) {
  const { xhr } = detail;
  const failed = xhr.status >= 400;
  if (!failed && isHere(xhr.responseURL)) return;
  detail.shouldSwap = true;
  detail.swapOverride = "none";
  detail.ignoreTitle = true;
  if (failed && !xhr.responseText.includes('id="outcome"')) say(FAILED);
  if (!failed) void refresh();
}

/** The answer to a button that stands on several pages may be another one. */
function isHere(address) {
  const { pathname, searchParams } = new URL(address, location.href);
  const here = new URLSearchParams(location.search);
  for (const name of ["done", "of"]) {
    searchParams.delete(name);
    here.delete(name);
  }
  return pathname === location.pathname && `${searchParams}` === `${here}`;
}

function say(text) {
  const line = document.createElement("p");
  line.className = "failed";
  line.textContent = text;
  outcome().replaceChildren(line);
}

function outcome() {
  return document.querySelector("#outcome");
}
