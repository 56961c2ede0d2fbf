/** The message beside its text: asked for while typing, and only the last answer is shown. */

import { csrfToken, isSignIn, isSignInAsked } from "../requests";
import type { Marks } from "./marks";
import { type ActiveText, type TextPart, firstText, isShown, partOf, say, textOf, valueOf, written } from "./texts";

interface Finding {
  part: TextPart;
  line: number;
  isBlocking: boolean;
  words: string;
}

interface Answer {
  html: string;
  findings: Finding[];
  unknown: string[];
}

const TYPING_MS = 300;
const MAIL_WIDTHS: Record<string, number> = { desktop: 640, phone: 375 };
const MAIL_HEIGHT = 380;

export class LivePreview {
  private readonly box: HTMLElement;
  private active: ActiveText | null = null;
  private timer = 0;
  private running: AbortController | null = null;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly marks: Map<HTMLElement, Marks>,
    private readonly onShown: () => void,
  ) {
    this.box = form.querySelector<HTMLElement>("[data-live-preview]") as HTMLElement;
    form.querySelector("[data-sample]")?.addEventListener("change", () => this.soon(0));
    for (const button of form.querySelectorAll<HTMLButtonElement>("button[data-width]"))
      button.addEventListener("click", () => this.setWidth(button.dataset.width ?? "desktop"));
    form.addEventListener("focusin", (event) => {
      const text = textOf(event.target as HTMLElement);
      if (text && text.panel !== this.active?.panel) this.turnTo(text);
    });
    form.addEventListener("input", () => this.soon());
    form.addEventListener("change", () => this.soon());
    form.addEventListener("click", (event) => {
      const tab = (event.target as HTMLElement).closest("[data-tab]");
      const block = tab?.closest<HTMLElement>("[data-block]");
      const text = block && firstText(block);
      if (text) this.turnTo(text);
    });
    this.soon(0);
  }

  /** Shows the first visible text of a message, after another variant was chosen. */
  turnToMessage(message: HTMLElement): void {
    const text = firstText(message);
    if (text) this.turnTo(text);
  }

  private turnTo(text: ActiveText): void {
    this.active = text;
    this.soon(0);
  }

  private soon(after: number = TYPING_MS): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), after);
  }

  private async ask(): Promise<void> {
    if (!this.active || !isShown(this.active.block)) this.active = firstText(this.form);
    const active = this.active;
    if (!active || isSignInAsked()) return;
    const panel = written(active);
    const channel = document.getElementById(active.block.dataset.channel ?? "") as HTMLSelectElement | null;
    const data = new FormData();
    const told: Record<string, string> = {
      campaign: this.form.dataset.composer ?? "",
      channel: channel?.value ?? "",
      locale: panel.dataset.cell ?? "",
      variant: active.block.dataset.block ?? "",
      purpose: valueOf(this.form, "purpose"),
      name: valueOf(this.form, "name"),
      cost: valueOf(this.form, "cost_per_message"),
      sample: this.form.querySelector<HTMLSelectElement>("[data-sample]")?.value ?? "",
    };
    for (const part of ["subject", "text", "html"] as const) told[part] = partOf(panel, part)?.value ?? "";
    for (const [name, value] of Object.entries(told)) data.append(name, value);
    this.running?.abort();
    const own = (this.running = new AbortController());
    this.box.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(this.form.dataset.live ?? "", {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": csrfToken() },
        body: data,
        signal: own.signal,
      });
      if (!response.ok || isSignIn(response)) return;
      const answer = (await response.json()) as Answer;
      // A later question is on its way: what this one says is out of date.
      if (own !== this.running) return;
      this.show(answer, active, panel);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) return;
    } finally {
      if (own === this.running) this.box.removeAttribute("aria-busy");
    }
  }

  private show(answer: Answer, active: ActiveText, panel: HTMLElement): void {
    this.box.innerHTML = answer.html;
    const which = this.form.querySelector<HTMLElement>("[data-live-which]");
    const block = active.block.hasAttribute("data-fallback")
      ? say(this.form, "Fallback")
      : `${say(this.form, "Variant")} ${active.block.dataset.block}`;
    if (which) which.textContent = `${block} · ${panel.dataset.name ?? ""}`;
    for (const part of ["subject", "text", "html"] as const) {
      const field = partOf(panel, part);
      if (!field) continue;
      this.marks.get(field)?.show(answer.unknown);
      tell(field, answer.findings.filter((finding) => finding.part === part));
    }
    const widths = this.form.querySelector<HTMLElement>("[data-widths]");
    if (widths) widths.hidden = this.box.querySelector("iframe") === null;
    this.fit();
    this.onShown();
  }

  private setWidth(width: string): void {
    this.box.dataset.width = width;
    for (const button of this.form.querySelectorAll<HTMLElement>("button[data-width]"))
      button.setAttribute("aria-pressed", String(button.dataset.width === width));
    this.fit();
  }

  /** Draws an e-mail as wide as on a desktop or a phone, made smaller to fit beside its text. */
  private fit(): void {
    const frame = this.box.querySelector<HTMLElement>(".lcx-mail-frame");
    const mail = frame?.querySelector("iframe");
    if (!frame || !mail) return;
    const width = MAIL_WIDTHS[this.box.dataset.width ?? ""] ?? frame.clientWidth;
    const scale = Math.min(frame.clientWidth / width, 1);
    frame.style.height = `${MAIL_HEIGHT}px`;
    Object.assign(mail.style, { width: `${width}px`, height: `${MAIL_HEIGHT / scale}px`, transform: `scale(${scale})` });
  }
}

/** Says beside a field what is wrong with its text, in the place where the server says it after saving. */
function tell(field: HTMLElement, findings: readonly Finding[]): void {
  const id = `${field.id}_faults`;
  const old = document.getElementById(id);
  if (findings.length === 0) {
    old?.remove();
    field.removeAttribute("aria-describedby");
    return;
  }
  const list = old ?? document.createElement("ul");
  list.id = id;
  list.className = "lcx-faults";
  list.replaceChildren(
    ...findings.map((finding) => {
      const item = document.createElement("li");
      item.dataset.tone = finding.isBlocking ? "bad" : "warn";
      item.textContent = finding.words;
      return item;
    }),
  );
  field.setAttribute("aria-describedby", id);
  if (!old) (field.closest(".lcx-marked") ?? field).after(list);
}
