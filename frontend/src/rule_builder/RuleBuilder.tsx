/** The visual rule builder: a tree of conditions on the left, what it finds on the right. */
import { useMemo, useState } from "react";
import { QueryBuilder, type Field, type RuleGroupType, type RuleType } from "react-querybuilder";
import { findField, type Catalogue } from "./catalogue";
import type { BuilderContext } from "./context";
import { cleaned, isQueryComplete, isRuleComplete, UNSET } from "./completeness";
import { addButton, CombinatorSwitch, iconButton, NotSwitch, OperatorSelector } from "./controls";
import { FieldSelector } from "./FieldSelector";
import { PreviewPanel } from "./PreviewPanel";
import { usePreview, type Problem } from "./preview";
import type { Texts } from "./texts";
import { ValueEditor } from "./ValueEditor";
import { initialValue } from "./values";

const CONTROLS = {
  fieldSelector: FieldSelector,
  operatorSelector: OperatorSelector,
  valueEditor: ValueEditor,
  combinatorSelector: CombinatorSwitch,
  notToggle: NotSwitch,
  addRuleAction: addButton("addRule"),
  addGroupAction: addButton("addGroup"),
  removeRuleAction: iconButton("close", "remove"),
  removeGroupAction: iconButton("delete", "remove"),
  cloneRuleAction: iconButton("content_copy", "clone"),
  cloneGroupAction: iconButton("content_copy", "clone"),
};

/** `rules[2].rules[0].value` → `2.0`, the way the builder names places. */
function placeOf(path: string): string {
  return [...path.matchAll(/rules\[(\d+)\]/g)].map((match) => match[1]).join(".");
}

function byPlace(problems: Problem[]): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const problem of problems) {
    const place = placeOf(problem.path);
    places.set(place, [...(places.get(place) ?? []), problem.message]);
  }
  return places;
}

interface Props {
  catalogue: Catalogue;
  initial: RuleGroupType;
  serverProblems: Problem[];
  onChange: (rule: RuleGroupType) => void;
}

export function RuleBuilder({ catalogue, initial, serverProblems, onChange }: Props) {
  const [query, setQuery] = useState<RuleGroupType>(initial);
  const { texts } = catalogue;
  const isComplete = isQueryComplete(query);
  const stored = useMemo(() => cleaned(query), [query]);
  const state = usePreview(catalogue.previewUrl, catalogue.stopUrl, stored, isComplete);
  const problems = byPlace(state.preview?.problems ?? serverProblems);
  const fields = useMemo(
    () => catalogue.fields.map((group) => ({ label: group.label, options: group.options.map((option): Field => ({ name: option.name, label: option.label })) })),
    [catalogue],
  );
  const change = (next: RuleGroupType) => {
    setQuery(next);
    onChange(cleaned(next));
  };
  const operatorsOf = (name: string) => findField(catalogue, name)?.operators ?? [{ name: "=", label: "=" }];
  const context: BuilderContext = { catalogue, texts, problems };
  return (
    <div className="lc-builder">
      <div className="lc-tree">
        <QueryBuilder
          fields={fields}
          query={query}
          onQueryChange={change}
          context={context}
          controlElements={CONTROLS}
          controlClassnames={{ ruleGroup: "lc-group", rule: "lc-rule" }}
          autoSelectField={false}
          translations={{ fields: { placeholderName: UNSET, placeholderLabel: texts.chooseField } }}
          getOperators={(name) => operatorsOf(name).map((entry) => ({ ...entry, value: entry.name }))}
          getDefaultOperator={(name) => operatorsOf(name)[0]?.name ?? "="}
          getDefaultValue={(rule: RuleType) => {
            const field = findField(catalogue, rule.field);
            return field ? initialValue(catalogue, field, rule.operator) : "";
          }}
          getRuleClassname={(rule: RuleType) => (isRuleComplete(rule) ? "" : "lc-incomplete")}
          accessibleDescriptionGenerator={({ path }) => (path.length ? `${texts.group} ${path.map((at) => at + 1).join(".")}` : texts.builder)}
          showNotToggle
          addRuleToNewGroups
          showCloneButtons
          listsAsArrays
          resetOnFieldChange
        />
        {query.rules.length === 0 && (
          <div className="lc-empty">
            <span className="material-symbols-outlined" aria-hidden="true">
              group_add
            </span>
            <h3>{texts.emptyTitle}</h3>
            <p>{texts.emptyText}</p>
            {catalogue.examples.length > 0 && (
              <div className="lc-examples" aria-label={texts.examples}>
                {catalogue.examples.map((example) => (
                  <button type="button" className="lc-button" key={example.label} onClick={() => change(example.rule as RuleGroupType)}>
                    {example.label}
                  </button>
                ))}
              </div>
            )}
          </div>
        )}
        <p className="lc-quiet lc-note">{catalogue.help}</p>
      </div>
      <PreviewPanel state={state} isComplete={isComplete} language={catalogue.language} texts={texts} />
    </div>
  );
}
