/** What every request of a page to its own server needs. */

export function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** Returns whether the page to sign in came instead of a piece of this one, and says so. */
export function isSignIn(response: Response): boolean {
  if (response.redirected) window.dispatchEvent(new Event("session-ended"));
  return response.redirected;
}
