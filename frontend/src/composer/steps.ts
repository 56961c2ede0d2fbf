/** The list of steps: what is missing in each, what is wrong, and the check of the stored draft. */

import { isSignIn } from "../requests";
import { isShown, partOf, say } from "./texts";

const NAMED = 2;

function labelOf(field: HTMLElement): string {
  return (field.querySelector("label")?.firstChild?.textContent ?? "").trim();
}

/** Returns the names of what has to be filled in and is empty. */
function missingIn(section: HTMLElement, form: HTMLFormElement): string[] {
  const missing: string[] = [];
  for (const field of section.querySelectorAll<HTMLElement>(".lcx-field")) {
    if (!field.querySelector(".lcx-required") || field.closest("[hidden]")) continue;
    const input = field.querySelector<HTMLInputElement | HTMLSelectElement>("input, select, textarea");
    if (input && !input.value.trim()) missing.push(labelOf(field));
  }
  for (const block of section.querySelectorAll<HTMLElement>("[data-block]")) {
    const own = block.querySelector<HTMLElement>("[data-tabs]");
    // Another variant's tab is part of the campaign too; a fallback without a channel is not.
    if (block.closest("[hidden]") || !own || own.hidden) continue;
    const panels = [...block.querySelectorAll<HTMLElement>("[data-cell]")];
    const isWritten = panels.some((panel) => (["text", "html"] as const).some((part) => partOf(panel, part)?.value.trim()));
    if (isWritten) continue;
    const name = block.hasAttribute("data-fallback") ? say(form, "Fallback") : `${say(form, "Text")} ${block.dataset.block}`;
    missing.push(name);
  }
  return missing;
}

export class Steps {
  constructor(private readonly form: HTMLFormElement) {
    form.addEventListener("input", () => this.update());
    form.addEventListener("change", () => this.update());
    form.addEventListener("click", (event) => {
      const link = (event.target as HTMLElement).closest<HTMLElement>("[data-go-to]");
      if (!link) return;
      event.preventDefault();
      this.goTo(link.dataset.goTo ?? "");
    });
    void this.check(form.querySelector<HTMLElement>("[data-checks]")?.dataset.checks ?? "");
    this.update();
  }

  update(): void {
    for (const section of this.form.querySelectorAll<HTMLElement>("[data-step-of]")) {
      const step = section.dataset.stepOf ?? "";
      const link = this.form.querySelector<HTMLElement>(`[data-step-link="${step}"]`);
      const state = link?.querySelector<HTMLElement>("[data-step-state]");
      if (!link || !state) continue;
      const missing = step === "check" ? [] : missingIn(section, this.form);
      const isWrong = section.querySelector(".errorlist li, .lcx-faults li[data-tone=bad]") !== null;
      const isUnchecked = step === "check" && section.querySelector("[data-ready]") === null;
      const listed = missing.slice(0, NAMED).join(" · ") + (missing.length > NAMED ? " …" : "");
      link.dataset.stepState = missing.length ? "missing" : isWrong ? "wrong" : isUnchecked ? "" : "done";
      state.textContent = missing.length
        ? `${say(this.form, "Missing")} ${listed}`
        : isWrong
          ? say(this.form, "Wrong")
          : isUnchecked
            ? ""
            : say(this.form, "Done");
    }
  }

  /** Asks the server what the submission would refuse in what is stored now. */
  async check(url: string): Promise<void> {
    const place = this.form.querySelector<HTMLElement>("[data-checks]");
    if (!url || !place) return;
    try {
      const response = await fetch(url, { credentials: "same-origin" });
      if (response.ok && !isSignIn(response)) place.innerHTML = await response.text();
    } catch {
      // The next save asks again.
    }
    this.update();
  }

  /** Leads to a field, through the tabs of its variant and language. */
  private goTo(id: string): void {
    const field = document.getElementById(id);
    if (!field) return;
    const message = field.closest<HTMLElement>("[data-message]");
    message?.dispatchEvent(new CustomEvent("show-field", { detail: field }));
    const panel = field.closest<HTMLElement>("[data-panel]");
    if (panel && !isShown(panel))
      panel.parentElement?.querySelector<HTMLElement>(`[data-tab="${panel.dataset.panel}"]`)?.click();
    field.scrollIntoView({ block: "center" });
    field.focus({ preventScroll: true });
  }
}
