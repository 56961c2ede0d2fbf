/** A form whose session has ended meanwhile stays on its page: who signs in again beside it sends it as it is. */

import { FIELDS } from "./fields";

interface Session {
  user: number | null;
  token: string;
}

const TOKENS = "input[name=csrfmiddlewaretoken]";
// What is on the way to the server after it was asked, and what is still being asked about.
let passing: HTMLFormElement | null = null;
const asking = new WeakSet<HTMLFormElement>();

const words = (): HTMLTemplateElement | null => document.querySelector<HTMLTemplateElement>("template#session-ended");

async function current(url: string): Promise<Session> {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as Session;
}

/** Says why nothing was sent; `again` sends it once more. */
function tell(reason: "ended" | "other" | "away", again?: () => void): void {
  const template = words();
  if (!template || document.querySelector("dialog[data-session]")) return;
  const dialog = document.createElement("dialog");
  dialog.className = "lcx-dialog";
  dialog.dataset.session = reason;
  dialog.append(template.content.cloneNode(true));
  dialog.querySelectorAll<HTMLElement>("[data-when]").forEach((part) => (part.hidden = !part.dataset.when?.split(" ").includes(reason)));
  const button = dialog.querySelector<HTMLButtonElement>("button[value=again]");
  if (button) button.hidden = !again;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (dialog.returnValue === "again") again?.();
  });
  document.body.append(dialog);
  dialog.showModal();
}

async function ask(form: HTMLFormElement, submitter: HTMLElement | null, page: DOMStringMap): Promise<void> {
  // The person may have signed in to another tab by now, so the question is put anew.
  const again = () => form.requestSubmit(submitter);
  asking.add(form);
  try {
    const session = await current(page.url ?? "");
    if (session.user === null) return tell("ended", again);
    if (String(session.user) !== page.user) return tell("other", again);
    // Whoever signed in again has a new token; the page still carries the old one.
    document.querySelectorAll<HTMLInputElement>(TOKENS).forEach((field) => (field.value = session.token));
    if (!form.isConnected) return;
    passing = form;
    form.requestSubmit(submitter);
  } catch {
    tell("away", again);
  } finally {
    passing = null;
    asking.delete(form);
  }
}

/** Before every listener of the page: a form that is kept back must not count as sent. */
window.addEventListener(
  "submit",
  (event) => {
    const form = event.target as HTMLFormElement;
    const page = words()?.dataset;
    if (!page || form === passing || form.getAttribute("method")?.toLowerCase() !== "post") return;
    if (![...form.elements].some((field) => field.matches(FIELDS))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!asking.has(form)) void ask(form, (event as SubmitEvent).submitter, page);
  },
  { capture: true },
);

/** A piece of a page that was to be loaded turned out to be the page to sign in. */
window.addEventListener("session-ended", () => tell("ended"));
window.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
  const page = words()?.dataset;
  if (!page?.login || !xhr.responseURL || new URL(xhr.responseURL).pathname !== page.login) return;
  event.preventDefault();
  tell("ended");
});
