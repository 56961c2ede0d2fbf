/** Mounts the rule builder next to every hidden input that asks for it; the input keeps the JSON. */
import { createRoot } from "react-dom/client";
import type { RuleGroupType } from "react-querybuilder";
import type { Catalogue } from "./catalogue";
import type { Problem } from "./preview";
import { RuleBuilder } from "./RuleBuilder";
import "../styles/rule_builder.css";

const EMPTY: RuleGroupType = { combinator: "and", rules: [] };

function readJson<T>(id: string | undefined, fallback: T): T {
  const element = id ? document.getElementById(id) : null;
  return element?.textContent ? (JSON.parse(element.textContent) as T) : fallback;
}

function initialRule(text: string): RuleGroupType {
  if (!text.trim()) return EMPTY;
  const rule = JSON.parse(text) as RuleGroupType | null;
  return rule && Array.isArray(rule.rules) ? rule : EMPTY;
}

function mount(element: HTMLElement): void {
  const input = document.getElementById(element.dataset.input ?? "") as HTMLInputElement | null;
  if (!input) return;
  const catalogue = readJson<Catalogue | null>(element.dataset.catalogue, null);
  if (!catalogue) return;
  const store = (rule: RuleGroupType) => {
    input.value = JSON.stringify(rule);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  createRoot(element).render(
    <RuleBuilder
      catalogue={catalogue}
      initial={initialRule(input.value)}
      serverProblems={readJson<Problem[]>(element.dataset.problems, [])}
      onChange={store}
    />,
  );
}

function start(): void {
  document.querySelectorAll<HTMLElement>("[data-rule-builder]").forEach(mount);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
