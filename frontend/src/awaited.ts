/** Texts that take long to count: asked for one address after the other, once the page is there. */

async function fill(url: string, places: HTMLElement[]): Promise<void> {
  let texts: Record<string, string> = {};
  try {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (response.ok && !response.redirected) texts = (await response.json()) as Record<string, string>;
  } catch {
    // The page says that it is not known.
  }
  for (const place of places) {
    place.textContent = texts[place.dataset.part ?? ""] ?? "–";
    place.removeAttribute("aria-busy");
  }
}

async function fillAll(): Promise<void> {
  const byUrl = new Map<string, HTMLElement[]>();
  document.querySelectorAll<HTMLElement>("[data-awaited]").forEach((place) => {
    const url = place.dataset.awaited ?? "";
    byUrl.set(url, [...(byUrl.get(url) ?? []), place]);
  });
  // Not all at once: each may cost the server a long statement.
  for (const [url, places] of byUrl) await fill(url, places);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => void fillAll());
else void fillAll();
