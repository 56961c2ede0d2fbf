/** Asks the server for the live count, the sample and the rule in words. */
import { useEffect, useRef, useState } from "react";
import type { RuleGroupType } from "react-querybuilder";

export interface Problem {
  path: string;
  message: string;
}

export interface Preview {
  count: number;
  total: number;
  seconds: number;
  words: string;
  reachable: { label: string; count: number }[];
  sample: { columns: string[]; rows: string[][] };
  waterfall: { sentence: string; left: number; lost: number }[];
  problems: Problem[];
}

export interface PreviewState {
  status: "idle" | "loading" | "ready" | "failed";
  preview: Preview | null;
  retry: () => void;
}

const DEBOUNCE_MS = 350;

export function csrfToken(): string {
  const field = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return field?.value ?? "";
}

export function usePreview(url: string, query: RuleGroupType, isComplete: boolean): PreviewState {
  const [status, setStatus] = useState<PreviewState["status"]>("idle");
  const [preview, setPreview] = useState<Preview | null>(null);
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(0);
  const rule = JSON.stringify(query);

  useEffect(() => {
    if (!isComplete || !url) return undefined;
    const turn = ++latest.current;
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      setStatus("loading");
      fetch(url, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: `{"rule":${rule}}`,
        signal: abort.signal,
      })
        .then((response) => {
          if (!response.ok && response.status !== 422) throw new Error(`HTTP ${response.status}`);
          return response.json() as Promise<Preview>;
        })
        .then((answer) => {
          if (turn !== latest.current) return;
          setPreview(answer);
          setStatus("ready");
        })
        .catch(() => {
          if (turn === latest.current && !abort.signal.aborted) setStatus("failed");
        });
    }, DEBOUNCE_MS);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [url, rule, isComplete, attempt]);

  return { status, preview, retry: () => setAttempt((count) => count + 1) };
}
