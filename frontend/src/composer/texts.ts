/** The text that is being written: which one it is, and what the form says about it now. */

export interface ActiveText {
  panel: HTMLElement;
  block: HTMLElement;
  message: HTMLElement;
}

export type TextPart = "subject" | "text" | "html";

/** Returns the field of one part in a language's panel. */
export function partOf(panel: HTMLElement, part: TextPart): HTMLTextAreaElement | HTMLInputElement | null {
  return panel.querySelector<HTMLTextAreaElement>(`[name$="_${part}"]`);
}

/** Returns whether nothing hides an element: no other tab, no other kind of channel. */
export function isShown(element: HTMLElement): boolean {
  return element.closest("[hidden], [data-inactive]") === null;
}

export function textOf(element: HTMLElement): ActiveText | null {
  const panel = element.closest<HTMLElement>("[data-cell]");
  const block = element.closest<HTMLElement>("[data-block]");
  const message = element.closest<HTMLElement>("[data-message]");
  return panel && block && message ? { panel, block, message } : null;
}

/** Returns the first text that can be seen, within a part of the form or in all of it. */
export function firstText(within: ParentNode): ActiveText | null {
  for (const panel of within.querySelectorAll<HTMLElement>("[data-cell]")) if (isShown(panel)) return textOf(panel);
  return null;
}

/** Returns the panel whose text is used: a block that follows the message has none of its own. */
export function written(active: ActiveText): HTMLElement {
  const choice = document.getElementById(active.block.dataset.textFrom ?? "") as HTMLSelectElement | null;
  if (choice?.value !== "same") return active.panel;
  const first = active.message.querySelector<HTMLElement>(`[data-block] [data-cell="${active.panel.dataset.cell}"]`);
  return first ?? active.panel;
}

export function valueOf(form: HTMLFormElement, name: string): string {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement || field instanceof HTMLSelectElement ? field.value : "";
}

/** Returns the words that the server has put on the form for what a script says. */
export function say(form: HTMLFormElement, name: string): string {
  return form.dataset[`say${name}`] ?? "";
}
