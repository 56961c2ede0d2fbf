/** Puts a variable where the cursor was last, in whatever text of the form that is. */

import { firstText, partOf, textOf } from "./texts";

type Field = HTMLTextAreaElement | HTMLInputElement;

export function picker(form: HTMLFormElement): void {
  const list = form.querySelector<HTMLElement>("[data-picker]");
  if (!list) return;
  let last: Field | null = null;
  form.addEventListener("focusin", (event) => {
    const element = event.target as HTMLElement;
    if (textOf(element) && element.matches("textarea, input[name$=_subject]")) last = element as Field;
  });
  list.querySelector<HTMLInputElement>("[data-picker-search]")?.addEventListener("input", (event) => {
    const wanted = (event.target as HTMLInputElement).value.trim().toLowerCase();
    for (const item of list.querySelectorAll<HTMLElement>("li"))
      item.hidden = !(item.textContent ?? "").toLowerCase().includes(wanted);
  });
  // Enter in the search takes the first that is found, and never sends the form.
  list.querySelector("[data-picker-search]")?.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key !== "Enter") return;
    event.preventDefault();
    list.querySelector<HTMLElement>("li:not([hidden]) [data-insert]")?.click();
  });
  for (const button of list.querySelectorAll<HTMLButtonElement>("[data-insert]"))
    button.addEventListener("click", () => {
      if (!last?.isConnected || last.closest("[hidden], [data-inactive]")) {
        const first = firstText(form);
        last = first && partOf(first.panel, "text");
      }
      if (!last) return;
      const isChinese = (textOf(last)?.panel.dataset.cell ?? "").startsWith("zh");
      const code = (isChinese ? button.dataset.zh : button.dataset.en) ?? "";
      const from = last.selectionStart ?? last.value.length;
      last.setRangeText(code, from, last.selectionEnd ?? from, "end");
      last.dispatchEvent(new Event("input", { bubbles: true }));
      last.focus();
    });
}
