/** A message's variants as tabs whose shares add up to 100 %; the form always carries all of them. */

const FULL = 100;

function weightOf(variant: HTMLElement): HTMLInputElement | null {
  return variant.querySelector<HTMLInputElement>("[data-share] input");
}

/** Spreads a sum over shares in the proportions that they have, in whole numbers that add up to it. */
export function spread(sum: number, shares: readonly number[]): number[] {
  const total = shares.reduce((a, b) => a + b, 0);
  const exact = shares.map((share) => (total > 0 ? (sum * share) / total : sum / shares.length));
  const whole = exact.map(Math.floor);
  const left = sum - whole.reduce((a, b) => a + b, 0);
  const byRest = exact.map((value, at) => [value - Math.floor(value), at] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  for (const [, at] of byRest.slice(0, left)) whole[at] = (whole[at] ?? 0) + 1;
  return whole;
}

export function variants(message: HTMLElement, form: HTMLFormElement, onChange: () => void): void {
  const bar = message.querySelector<HTMLElement>("[data-variant-tabs]");
  const adder = message.querySelector<HTMLButtonElement>("[data-add-variant]");
  const all = [...message.querySelectorAll<HTMLElement>("[data-block]:not([data-fallback])")];
  const word = form.dataset.sayVariant ?? "";
  if (!bar || !all[0]) return;
  let active = all[0];
  const shown = () => all.filter((variant) => !variant.hidden);

  const draw = (): void => {
    const present = shown();
    bar.replaceChildren(
      ...present.map((variant) => {
        const tab = document.createElement("button");
        tab.type = "button";
        tab.setAttribute("role", "tab");
        tab.setAttribute("aria-selected", String(variant === active));
        tab.dataset.variantTab = variant.dataset.block ?? "";
        const share = present.length > 1 ? ` · ${weightOf(variant)?.value ?? ""} %` : "";
        tab.textContent = `${word} ${variant.dataset.block}${share}`;
        tab.addEventListener("click", () => select(variant));
        return tab;
      }),
    );
    for (const variant of all) {
      variant.toggleAttribute("data-inactive", variant !== active);
      const share = variant.querySelector<HTMLElement>("[data-share]");
      if (share) share.hidden = present.length < 2;
    }
    const hint = message.querySelector<HTMLElement>("[data-shares-hint]");
    if (hint) hint.hidden = present.length < 2;
    if (adder) adder.hidden = present.length === all.length;
  };
  const select = (variant: HTMLElement): void => {
    active = variant;
    draw();
    onChange();
  };
  const isFixed = form.dataset.correcting === "true";
  /** Gives the others what one of them leaves, or shares everything in the present proportions. */
  const rebalance = (kept?: HTMLElement): void => {
    const present = shown();
    if (isFixed || present.length < 2) return;
    const others = present.filter((variant) => variant !== kept);
    const own = kept ? Math.min(Math.max(Math.round(Number(weightOf(kept)?.value) || 1), 1), FULL - others.length) : 0;
    const shares = others.map((variant) => Math.max(Number(weightOf(variant)?.value) || 1, 1));
    // Everybody keeps one hundredth at least.
    spread(FULL - own - others.length, shares).forEach((share, at) => {
      const field = others[at] && weightOf(others[at]);
      if (field) field.value = String(share + 1);
    });
    const field = kept && weightOf(kept);
    if (field) field.value = String(own);
  };
  const weights = shown().map((variant) => weightOf(variant)?.value);
  let isOwn = new Set(weights).size > 1;
  /** Shares anew after a variant came or went: alike, unless somebody has said otherwise. */
  const shareAnew = (isAdded: boolean): void => {
    for (const variant of shown()) {
      const field = weightOf(variant);
      if (field && !isFixed && (isAdded || !isOwn)) field.value = "1";
    }
    if (isAdded) isOwn = false;
    rebalance();
  };
  const show = (variant: HTMLElement, isShown: boolean): void => {
    variant.hidden = !isShown;
    const inUse = variant.querySelector<HTMLInputElement>("input[name$=_in_use]");
    if (inUse) inUse.value = isShown ? "yes" : "no";
  };

  for (const variant of all) {
    if (variant.hasAttribute("data-variant")) show(variant, !variant.hidden);
    weightOf(variant)?.addEventListener("change", () => {
      isOwn = true;
      rebalance(variant);
      draw();
    });
    variant.querySelector("[data-take-out-variant]")?.addEventListener("click", () => {
      show(variant, false);
      shareAnew(false);
      select(all[0] as HTMLElement);
      form.dispatchEvent(new Event("input"));
      adder?.focus();
    });
  }
  adder?.addEventListener("click", () => {
    const next = all.find((variant) => variant.hidden);
    if (!next) return;
    show(next, true);
    shareAnew(true);
    select(next);
    form.dispatchEvent(new Event("input"));
    next.querySelector<HTMLElement>("select, textarea")?.focus();
  });
  rebalance();
  const aim = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  const wrong = all.find((variant) => variant.querySelector(".errorlist"));
  select(all.find((variant) => aim && variant.contains(aim)) ?? wrong ?? (all[0] as HTMLElement));
  message.addEventListener("show-field", (event) => {
    const variant = all.find((one) => one.contains((event as CustomEvent<HTMLElement>).detail));
    if (variant) select(variant);
  });
}
