/** The keyboard: the skip link moves the focus too, and a refused form begins at its first error. */

const FIELDS = "input:not([type=hidden]):not([disabled]), select:not([disabled]), textarea:not([disabled])";

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

document.addEventListener("DOMContentLoaded", () => {
  skipToContent();
  focusFirstError();
});
