const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Template tag that escapes every value; lists are joined, `raw` values pass as they are. */
export function html(strings, ...values) {
  return raw(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

/** Marks text as HTML that we made ourselves. */
export function raw(text) {
  return { text, toString: () => text };
}

export function money(cents) {
  return `€ ${(cents / 100).toFixed(2)}`;
}

function render(value) {
  if (value === undefined || value === null || value === false) return "";
  if (Array.isArray(value)) return value.map(render).join("");
  if (typeof value === "object" && typeof value.text === "string") return value.text;
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character]);
}
