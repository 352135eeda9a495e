// Opens what a list's row offers in a dialog; without a script it is on the preview's own page.

export function openMenus() {
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "menu") open(detail.target);
  });
  document.addEventListener("submit", ({ target }) => target.closest("#menu")?.close());
  document.addEventListener("click", ({ target }) => {
    // Outside of what it holds is the dialog itself.
    if (target.id === "menu") target.close();
  });
}

function open(dialog) {
  if (!dialog.open) dialog.showModal();
}
