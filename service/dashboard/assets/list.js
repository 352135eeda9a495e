// What makes the list handier: filters that keep the address short, and a row's actions in a dialog.

export function enlivenList() {
  document.body.classList.add("lively");
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.id === "filter") forgetEmpty(detail.parameters);
  });
  // Without a script the link leads to the preview's own page.
  document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
    if (target.id === "menu" && !target.open) target.showModal();
  });
  document.addEventListener("submit", ({ target }) => target.closest("#menu")?.close());
  document.addEventListener("click", ({ target }) => {
    // What lies outside of all that it holds is the dialog itself.
    if (target.id === "menu") target.close();
  });
}

function forgetEmpty(parameters) {
  for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
}
