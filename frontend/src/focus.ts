/** The keyboard: the skip link moves the focus too, and a refused form begins at its first error. */

import { FIELDS } from "./fields";

function skipToContent(): void {
  const content = document.getElementById("content");
  document.querySelector(".lcx-skip")?.addEventListener("click", () => {
    if (!content) return;
    content.tabIndex = -1;
    content.focus();
  });
}

/** Return the field that an error message stands beside: in its own block, else the next one. */
function fieldOf(error: Element): HTMLElement | null {
  for (let block = error.parentElement; block && block.id !== "content"; block = block.parentElement) {
    const field = block.querySelector<HTMLElement>(FIELDS);
    if (field) return field;
  }
  return null;
}

function focusFirstError(): void {
  const error = document.querySelector("#content .errorlist, #content [data-field-error]");
  if (!error) return;
  const field = fieldOf(error);
  if (!field) return;
  if (!error.id) error.id = "first-error";
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", error.id);
  field.focus();
}

/** The theme's scroll areas name themselves in English. */
function nameScrollAreas(): void {
  if (!document.documentElement.lang.toLowerCase().startsWith("zh")) return;
  document.querySelectorAll('[aria-label="scrollable content"]').forEach((area) => area.setAttribute("aria-label", "可滚动内容"));
}

window.addEventListener("load", nameScrollAreas);
document.addEventListener("DOMContentLoaded", () => {
  skipToContent();
  focusFirstError();
});
