/** The page on which a campaign is written: variants, marks, preview, saving and steps. */

import { Marks } from "./marks";
import { picker } from "./picker";
import { LivePreview } from "./preview";
import { Saving } from "./saving";
import { Steps } from "./steps";
import { variants } from "./variants";

function start(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-composer]");
  if (!form) return;
  const marks = new Map<HTMLElement, Marks>();
  for (const field of form.querySelectorAll<HTMLTextAreaElement>("[data-cell] textarea"))
    marks.set(field, new Marks(field));
  let preview: LivePreview | null = null;
  let steps: Steps | null = null;
  for (const message of form.querySelectorAll<HTMLElement>("[data-message]"))
    variants(message, form, () => {
      preview?.turnToMessage(message);
      steps?.update();
    });
  picker(form);
  // The tabs of the languages and what depends on a channel are drawn by the page's other script first.
  window.setTimeout(() => {
    steps = new Steps(form);
    preview = new LivePreview(form, marks, () => steps?.update());
    new Saving(form, (checks) => void steps?.check(checks));
  });
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
