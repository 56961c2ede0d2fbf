/** What every request of a page to its own server needs. */

export function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** Returns whether the page to sign in came instead of a piece of this one, and says so. */
export function isSignIn(response: Response): boolean {
  if (response.redirected) window.dispatchEvent(new Event("session-ended"));
  return response.redirected;
}

/** Returns whether a page waits for somebody to sign in again. */
export function isSignInAsked(): boolean {
  return document.querySelector("dialog[data-session]") !== null;
}

/** Returns whether who opened the page is still signed in; the page's tokens are then those of the session. */
export async function isOwnSession(): Promise<boolean> {
  const page = document.querySelector<HTMLTemplateElement>("template#session-ended")?.dataset;
  if (!page?.url) return true;
  const response = await fetch(page.url, {
    credentials: "same-origin",
    cache: "no-store",
    headers: { Accept: "application/json" },
  });
  if (!response.ok) throw new Error(String(response.status));
  const session = (await response.json()) as { user: number | null; token: string };
  if (session.user === null) window.dispatchEvent(new Event("session-ended"));
  if (session.user === null || String(session.user) !== page.user) return false;
  for (const field of document.querySelectorAll<HTMLInputElement>("input[name=csrfmiddlewaretoken]"))
    field.value = session.token;
  return true;
}
