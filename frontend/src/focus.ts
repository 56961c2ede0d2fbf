/** The keyboard: the skip link moves the focus too, a refused form begins at its first error, a refresh keeps the focus. */

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

/** What a page that asks again by itself had in focus; its elements are new after that. */
const KEPT = "focus-kept";
const FOCUSABLE = "a[href], button, summary, input, select, textarea";
let isLeaving = false;

/** Where an element leads, or what it sends: the same before and after the page asked again. */
function keyOf(element: Element): string {
  if (element.id) return `#${element.id}`;
  const form = element.closest("form")?.getAttribute("action") ?? "";
  return [element.tagName, ...["href", "name", "value", "type"].map((name) => element.getAttribute(name) ?? ""), form].join(" ");
}

function keepFocus(): void {
  const element = document.activeElement;
  if (isLeaving || !element?.matches(`:is(${FOCUSABLE})`)) return;
  sessionStorage.setItem(KEPT, JSON.stringify({ page: location.href, key: keyOf(element) }));
}

function restoreFocus(): void {
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (!kept || (document.activeElement && document.activeElement !== document.body)) return;
  const { page, key } = JSON.parse(kept) as { page: string; key: string };
  if (page !== location.href) return;
  const found = [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].find((element) => keyOf(element) === key);
  found?.focus({ preventScroll: true });
}

/** The theme's scroll areas name themselves in English. */
function nameScrollAreas(): void {
  const name = document.querySelector<HTMLElement>("[data-scroll-areas]")?.dataset.scrollAreas;
  if (!name) return;
  document.querySelectorAll('[aria-label="scrollable content"]').forEach((area) => area.setAttribute("aria-label", name));
}

window.addEventListener("load", nameScrollAreas);
window.addEventListener("submit", () => (isLeaving = true));
window.addEventListener("click", (event) => (isLeaving = (event.target as Element).closest("a[href]") !== null));
window.addEventListener("pageshow", () => (isLeaving = false));
window.addEventListener("pagehide", keepFocus);
document.addEventListener("DOMContentLoaded", () => {
  skipToContent();
  focusFirstError();
  restoreFocus();
});
