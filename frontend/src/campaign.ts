/** Campaign pages: live progress, previews, tabs, questions before a step that cannot be taken back. */

import { csrfToken, isSignIn } from "./requests";

interface Progress {
  audience: number;
  states: Record<string, number>;
  status: string;
  statusLabel: string;
  isFinished: boolean;
  facts: Record<string, string>;
}

const POLL_MS = 2000;
const number = new Intl.NumberFormat(document.documentElement.lang || "en");

function showProgress(root: HTMLElement, progress: Progress): void {
  root.querySelectorAll<HTMLElement>("[data-state]").forEach((element) => {
    const count = progress.states[element.dataset.state ?? ""] ?? 0;
    if (element.dataset.role === "bar") {
      element.style.flexGrow = String(count);
      element.title = `${element.dataset.label}: ${number.format(count)}`;
      return;
    }
    element.dataset.count = String(count);
    const value = element.querySelector("b");
    if (value) value.textContent = number.format(count);
  });
  for (const [name, text] of Object.entries({ audience: number.format(progress.audience), ...progress.facts })) {
    root.querySelectorAll(`[data-fact="${name}"]`).forEach((element) => (element.textContent = text));
  }
}

function watchProgress(root: HTMLElement): void {
  const url = root.dataset.progressUrl ?? "";
  const first = root.dataset.status;
  let failures = 0;
  const ask = async (): Promise<void> => {
    if (document.hidden) {
      window.setTimeout(ask, POLL_MS);
      return;
    }
    try {
      const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      const progress = (await response.json()) as Progress;
      failures = 0;
      showProgress(root, progress);
      root.dataset.live = "true";
      if (progress.status !== first) {
        // The possible steps depend on the status: let the server draw them again.
        window.location.reload();
        return;
      }
      if (progress.isFinished) return;
    } catch {
      failures += 1;
      root.dataset.live = "false";
    }
    window.setTimeout(ask, POLL_MS * Math.min(1 + failures, 10));
  };
  void ask();
}

function tabs(root: HTMLElement): void {
  const buttons = [...root.querySelectorAll<HTMLButtonElement>(":scope > .lcx-tabs [data-tab]")];
  const select = (name: string | undefined) => {
    for (const button of buttons) button.setAttribute("aria-selected", String(button.dataset.tab === name));
    root.querySelectorAll<HTMLElement>(":scope > [data-panel]").forEach((panel) => (panel.hidden = panel.dataset.panel !== name));
  };
  for (const button of buttons) button.addEventListener("click", () => select(button.dataset.tab));
  const wanted = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  const marked = wanted && root.contains(wanted) ? wanted : root.querySelector<HTMLElement>(":scope > [data-panel] :is(.errorlist, .lcx-faults)");
  const wrong = marked?.closest<HTMLElement>("[data-panel]");
  select(wrong?.dataset.panel ?? buttons[0]?.dataset.tab);
}

/** A form that is half written is not left without a question; what the server has sent back unsaved counts too. */
function warnBeforeLeaving(form: HTMLFormElement): void {
  let isUnsaved = form.dataset.unsaved === "true";
  form.addEventListener("input", () => (isUnsaved = true));
  for (const settled of ["submit", "saved"]) form.addEventListener(settled, () => (isUnsaved = false));
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved) event.preventDefault();
  });
}

function confirmBefore(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    const button = (event as SubmitEvent).submitter as HTMLButtonElement | null;
    const question = button?.dataset.confirm ?? form.dataset.confirm;
    if (!question || form.dataset.confirmed === "true") return;
    event.preventDefault();
    const dialog = document.createElement("dialog");
    dialog.className = "lcx-dialog";
    const text = document.createElement("p");
    text.textContent = question;
    const choices = document.createElement("form");
    choices.method = "dialog";
    for (const [value, label] of [
      ["no", form.dataset.no ?? "Cancel"],
      ["yes", button?.dataset.yes ?? button?.textContent?.trim() ?? "OK"],
    ] as const) {
      const choice = document.createElement("button");
      choice.value = value;
      choice.className = "lcx-button";
      if (value === "yes") choice.dataset.kind = "primary";
      choice.textContent = label;
      choices.append(choice);
    }
    dialog.append(text);
    const shown = document.getElementById(button?.dataset.shows ?? "");
    if (shown) {
      const copy = document.createElement("div");
      const show = () => copy.replaceChildren(...[...shown.childNodes].map((node) => node.cloneNode(true)));
      show();
      // The numbers may still be on their way.
      shown.addEventListener("loaded", show);
      dialog.append(copy);
    }
    dialog.append(choices);
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue !== "yes") return;
      form.dataset.confirmed = "true";
      form.requestSubmit(button);
    });
    dialog.showModal();
  });
}

/** Sends the form around a preview button to its URL and shows the answer (HTML made by the server). */
function livePreview(button: HTMLButtonElement): void {
  const target = document.getElementById(button.dataset.target ?? "");
  const form = button.form;
  if (!target || !form) return;
  const show = async (): Promise<void> => {
    target.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(button.dataset.previewUrl ?? "", {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": csrfToken() },
        body: new FormData(form),
      });
      if (isSignIn(response)) return;
      target.innerHTML = await response.text();
    } finally {
      target.removeAttribute("aria-busy");
    }
  };
  button.addEventListener("click", () => void show());
  if (button.dataset.auto !== undefined) void show();
}

/** Fills a piece of the page with HTML made by the server. */
async function loadPiece(element: HTMLElement): Promise<void> {
  element.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(element.dataset.load ?? "", { credentials: "same-origin" });
    if (response.ok && !isSignIn(response)) element.innerHTML = await response.text();
  } finally {
    element.removeAttribute("aria-busy");
    element.dispatchEvent(new Event("loaded"));
  }
}

/** Shows only the fields that the chosen option needs: <div data-shown-for="email" data-of="id_channel">. */
function dependentFields(element: HTMLElement): void {
  const source = document.getElementById(element.dataset.of ?? "") as HTMLSelectElement | null;
  if (!source) return;
  const wanted = (element.dataset.shownFor ?? "").split(" ");
  const update = () => {
    const kind = source.selectedOptions[0]?.dataset.kind ?? source.value;
    element.hidden = !wanted.includes(kind);
  };
  source.addEventListener("change", update);
  update();
}

/** Shows what is needed only when something is chosen at all: <div data-shown-with="id_fallback_channel">. */
function shownWithChoice(element: HTMLElement): void {
  const source = document.getElementById(element.dataset.shownWith ?? "") as HTMLSelectElement | null;
  if (!source) return;
  const update = () => {
    element.hidden = source.value === "";
  };
  source.addEventListener("change", update);
  update();
}

/** Puts a text of the page on the clipboard and says so. */
function copying(button: HTMLButtonElement): void {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
    await navigator.clipboard?.writeText(text.trim());
    button.textContent = button.dataset.done ?? words;
    window.setTimeout(() => (button.textContent = words), POLL_MS);
  });
}

/** A link from a list of faults leads to a field that stood in a hidden panel when the page was read. */
function goToField(): void {
  const field = location.hash.startsWith("#id_") ? document.getElementById(location.hash.slice(1)) : null;
  if (!field) return;
  field.scrollIntoView({ block: "center" });
  field.focus({ preventScroll: true });
}

function start(): void {
  document.querySelectorAll<HTMLElement>("[data-progress-url]").forEach(watchProgress);
  document.querySelectorAll<HTMLElement>("[data-tabs]").forEach(tabs);
  document.querySelectorAll<HTMLFormElement>("form[data-asks]").forEach(confirmBefore);
  document.querySelectorAll<HTMLFormElement>("form[data-unsaved]").forEach(warnBeforeLeaving);
  document.querySelectorAll<HTMLButtonElement>("button[data-preview-url]").forEach(livePreview);
  document.querySelectorAll<HTMLElement>("[data-load]").forEach((element) => void loadPiece(element));
  document.querySelectorAll<HTMLElement>("[data-shown-for]").forEach(dependentFields);
  document.querySelectorAll<HTMLElement>("[data-shown-with]").forEach(shownWithChoice);
  document.querySelectorAll<HTMLButtonElement>("[data-copy]").forEach(copying);
  goToField();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
