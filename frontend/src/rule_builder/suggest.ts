/** Values that a text field has, asked for once a page and field when its input is first entered. */
import { useState } from "react";

const known = new Map<string, Promise<string[]>>();

function ask(url: string, field: string): Promise<string[]> {
  const before = known.get(field);
  if (before) return before;
  const asked = fetch(`${url}?field=${encodeURIComponent(field)}`, { credentials: "same-origin" })
    .then((response) => (response.ok ? (response.json() as Promise<{ values: string[] }>) : { values: [] }))
    .then((answer) => answer.values)
    // Suggestions are a help: without them the input works like any other.
    .catch(() => []);
  known.set(field, asked);
  return asked;
}

export function useSuggestions(url: string, field: string): [string[], () => void] {
  const [found, setFound] = useState<{ field: string; values: string[] }>({ field: "", values: [] });
  const load = () => {
    if (found.field !== field) void ask(url, field).then((values) => setFound({ field, values }));
  };
  return [found.field === field ? found.values : [], load];
}
