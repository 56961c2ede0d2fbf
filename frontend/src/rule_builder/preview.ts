/** Asks the server for the live count, the sample and the rule in words. */
import { useEffect, useRef, useState } from "react";
import type { RuleGroupType } from "react-querybuilder";

export interface Problem {
  path: string;
  message: string;
  /** What is wrong and where, in words. */
  told: string;
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
  status: "idle" | "loading" | "ready" | "failed" | "stopped";
  preview: Preview | null;
  retry: () => void;
  stop: () => void;
}

const DEBOUNCE_MS = 350;

const newTicket = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export function csrfToken(): string {
  const field = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return field?.value ?? "";
}

function askToStop(url: string, ticket: string): void {
  void fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": csrfToken() },
    body: `ticket=${ticket}`,
    keepalive: true,
  }).catch(() => undefined);
}

export function usePreview(url: string, stopUrl: string, query: RuleGroupType, isComplete: boolean): PreviewState {
  const [status, setStatus] = useState<PreviewState["status"]>("idle");
  const [preview, setPreview] = useState<Preview | null>(null);
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(0);
  const running = useRef<{ abort: AbortController; ticket: string } | null>(null);
  const rule = JSON.stringify(query);

  useEffect(() => {
    if (!isComplete || !url) return undefined;
    const turn = ++latest.current;
    const abort = new AbortController();
    const ticket = newTicket();
    /** Nobody waits any more: the database need not go on either. */
    const end = () => {
      if (running.current?.ticket !== ticket) return;
      running.current = null;
      abort.abort();
      askToStop(stopUrl, ticket);
    };
    const timer = window.setTimeout(() => {
      setStatus("loading");
      running.current = { abort, ticket };
      fetch(url, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken(), "X-Ticket": ticket },
        body: `{"rule":${rule}}`,
        signal: abort.signal,
      })
        .then((response) => {
          if (!response.ok && response.status !== 422) throw new Error(`HTTP ${response.status}`);
          return response.json() as Promise<Preview>;
        })
        .then((answer) => {
          if (running.current?.ticket === ticket) running.current = null;
          if (turn !== latest.current) return;
          setPreview(answer);
          setStatus("ready");
        })
        .catch(() => {
          if (abort.signal.aborted) return;
          if (running.current?.ticket === ticket) running.current = null;
          if (turn === latest.current) setStatus("failed");
        });
    }, DEBOUNCE_MS);
    return () => {
      window.clearTimeout(timer);
      end();
    };
  }, [url, stopUrl, rule, isComplete, attempt]);

  const stop = () => {
    const current = running.current;
    if (!current) return;
    running.current = null;
    current.abort.abort();
    setStatus("stopped");
    askToStop(stopUrl, current.ticket);
  };
  return { status, preview, retry: () => setAttempt((count) => count + 1), stop };
}
