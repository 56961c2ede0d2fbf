/** Small controls of the builder in the look of the admin: buttons with icons, AND/OR as a switch. */
import type { ActionProps, CombinatorSelectorProps, NotToggleProps, OperatorSelectorProps } from "react-querybuilder";
import { findField } from "./catalogue";
import type { BuilderContext } from "./context";

const contextOf = (props: { context?: unknown }): BuilderContext => props.context as BuilderContext;

export function CombinatorSwitch(props: CombinatorSelectorProps) {
  const { texts } = contextOf(props);
  return (
    <div className="lc-switch" role="radiogroup">
      {(["and", "or"] as const).map((name) => (
        <button
          type="button"
          role="radio"
          aria-checked={props.value === name}
          key={name}
          disabled={props.disabled}
          onClick={() => props.handleOnChange(name)}
        >
          {name === "and" ? texts.allOf : texts.anyOf}
        </button>
      ))}
    </div>
  );
}

export function NotSwitch(props: NotToggleProps) {
  const { texts } = contextOf(props);
  return (
    <button
      type="button"
      className="lc-not"
      aria-pressed={Boolean(props.checked)}
      title={texts.missingHint}
      onClick={() => props.handleOnChange(!props.checked)}
    >
      {texts.not}
    </button>
  );
}

export function OperatorSelector(props: OperatorSelectorProps) {
  const { catalogue, texts } = contextOf(props);
  const field = findField(catalogue, props.field);
  if (!field || ["event", "sequence", "loan"].includes(field.kind)) return null;
  return (
    <select
      className="lc-input lc-operator"
      aria-label={texts.comparison}
      value={String(props.value)}
      onChange={(event) => props.handleOnChange(event.target.value)}
    >
      {field.operators.map((entry) => (
        <option key={entry.name} value={entry.name}>
          {entry.label}
        </option>
      ))}
    </select>
  );
}

export function addButton(kind: "addRule" | "addGroup") {
  return function AddButton(props: ActionProps) {
    const { texts } = contextOf(props);
    return (
      <button type="button" className="lc-button" data-testid={kind} onClick={(event) => props.handleOnClick(event)}>
        <span className="material-symbols-outlined" aria-hidden="true">
          {kind === "addRule" ? "add" : "create_new_folder"}
        </span>
        {texts[kind]}
      </button>
    );
  };
}

export function iconButton(icon: string, text: "remove" | "clone") {
  return function IconButton(props: ActionProps) {
    const { texts } = contextOf(props);
    return (
      <button type="button" className="lc-icon" title={texts[text]} aria-label={texts[text]} onClick={(event) => props.handleOnClick(event)}>
        <span className="material-symbols-outlined">{icon}</span>
      </button>
    );
  };
}
