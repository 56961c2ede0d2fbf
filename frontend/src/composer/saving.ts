/** A draft saves itself while it is written; a save that would undo somebody else's is refused and said. */

import { isOwnSession, isSignIn, isSignInAsked } from "../requests";
import { say } from "./texts";

interface Saved {
  state: "saved" | "waiting" | "stale" | "refused";
  words: string;
  seen?: string;
  edit?: string;
  checks?: string;
}

const IDLE_MS = 2500;
const AGAIN_MS = 15_000;

export class Saving {
  private timer = 0;
  private isRunning = false;
  private isOver = false;
  private edits = 0;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly onSaved: (checks: string) => void,
  ) {
    for (const kind of ["input", "change"] as const) form.addEventListener(kind, (event) => this.edited(event));
    form.addEventListener("submit", (event) => {
      window.clearTimeout(this.timer);
      if (!this.isRunning) {
        this.isOver = true;
        return;
      }
      // What is under way would make the form out of date: it goes after it.
      event.preventDefault();
      const submitter = (event as SubmitEvent).submitter;
      this.isOver = true;
      this.form.addEventListener("settled", () => this.form.requestSubmit(submitter), { once: true });
    });
  }

  private edited(event: Event): void {
    const target = event.target as HTMLElement;
    if (target.closest(".lcx-beside")) return;
    this.edits += 1;
    this.later(IDLE_MS);
  }

  private later(after: number): void {
    window.clearTimeout(this.timer);
    if (!this.isOver) this.timer = window.setTimeout(() => void this.save(), after);
  }

  private async save(): Promise<void> {
    if (this.isRunning || isSignInAsked()) return this.later(IDLE_MS);
    this.isRunning = true;
    const edits = this.edits;
    try {
      // What one person has written is never saved in another's name.
      if (!(await isOwnSession())) return;
      this.tell(say(this.form, "Saving"), "");
      const data = new FormData(this.form);
      data.append("autosave", "1");
      const response = await fetch(this.form.action || location.href, {
        method: "POST",
        credentials: "same-origin",
        body: data,
      });
      if (isSignIn(response)) return;
      if (!response.ok) throw new Error(String(response.status));
      this.take((await response.json()) as Saved, edits);
    } catch {
      this.tell(say(this.form, "Failed"), "bad");
      this.later(AGAIN_MS);
    } finally {
      this.isRunning = false;
      this.form.dispatchEvent(new Event("settled"));
    }
  }

  private take(saved: Saved, edits: number): void {
    this.tell(saved.words, saved.state === "saved" ? "good" : saved.state === "waiting" ? "" : "bad");
    if (saved.state === "stale" || saved.state === "refused") {
      // Nothing is tried again by itself; the button shows what is stored beside what was written.
      this.isOver = true;
      return;
    }
    if (saved.state !== "saved") return;
    if (saved.edit && saved.edit !== location.pathname) {
      this.form.action = saved.edit;
      this.form.dataset.composer = saved.edit.match(/\/(\d+)\/edit\//)?.[1] ?? "";
      history.replaceState(null, "", saved.edit);
    }
    let seen = this.form.querySelector<HTMLInputElement>("input[name=seen]");
    if (!seen) {
      seen = document.createElement("input");
      seen.type = "hidden";
      seen.name = "seen";
      this.form.append(seen);
    }
    seen.value = saved.seen ?? "";
    this.form.dataset.saves = String(Number(this.form.dataset.saves ?? 0) + 1);
    if (edits === this.edits) this.form.dispatchEvent(new Event("saved"));
    this.onSaved(saved.checks ?? "");
  }

  private tell(words: string, tone: string): void {
    const line = this.form.querySelector<HTMLElement>("[data-saving]");
    if (!line) return;
    line.textContent = words;
    line.dataset.saving = tone;
  }
}
