/**
 * Marks variables in a text while it is typed. The field stays a plain textarea, with the marks on a layer behind it:
 * input methods for Chinese, spelling, undo, keyboard and screen readers work as in every other field.
 */

const CODE = /\{\{[^{}]*\}\}|\{%[^%]*%\}/g;
const COPIED = [
  "font", "letterSpacing", "lineHeight", "padding", "borderWidth", "textIndent", "wordSpacing", "tabSize",
] as const;

export class Marks {
  private readonly layer = document.createElement("pre");
  private unknown: readonly string[] = [];

  constructor(private readonly field: HTMLTextAreaElement) {
    const frame = document.createElement("div");
    frame.className = "lcx-marked";
    this.layer.setAttribute("aria-hidden", "true");
    field.replaceWith(frame);
    frame.append(this.layer, field);
    field.addEventListener("input", () => this.draw());
    field.addEventListener("scroll", () => this.follow());
    new ResizeObserver(() => this.draw()).observe(field);
    this.draw();
  }

  /** Takes over which names no variable has. */
  show(unknown: readonly string[]): void {
    this.unknown = unknown;
    this.draw();
  }

  private isUnknown(code: string): boolean {
    const words: readonly string[] = code.match(/[A-Za-z_][A-Za-z0-9_]*/g) ?? [];
    return this.unknown.some((name) => words.includes(name));
  }

  private draw(): void {
    const text = this.field.value;
    const pieces: (string | HTMLElement)[] = [];
    let at = 0;
    for (const found of text.matchAll(CODE)) {
      const mark = document.createElement("mark");
      mark.textContent = found[0];
      mark.dataset.unknown = String(this.isUnknown(found[0]));
      pieces.push(text.slice(at, found.index), mark);
      at = found.index + found[0].length;
    }
    // A last line break has no height of its own in a layer.
    this.layer.replaceChildren(...pieces, `${text.slice(at)}\n`);
    const style = getComputedStyle(this.field);
    for (const name of COPIED) this.layer.style[name] = style[name];
    this.layer.style.width = `${this.field.offsetWidth}px`;
    this.layer.style.height = `${this.field.offsetHeight}px`;
    this.follow();
  }

  private follow(): void {
    this.layer.scrollTop = this.field.scrollTop;
    this.layer.scrollLeft = this.field.scrollLeft;
  }
}
