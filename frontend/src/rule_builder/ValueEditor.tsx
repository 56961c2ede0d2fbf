/** The right input for a field and an operator; keeps numbers numbers and pairs pairs. */
import { useEffect, useId, useState } from "react";
import type { ValueEditorProps } from "react-querybuilder";
import { findField, isNumber, type CatalogueField } from "./catalogue";
import { EventEditor, type EventValue } from "./EventEditor";
import { FilterList, type Filter } from "./FilterList";
import { DaysInput, ScalarInput } from "./ScalarInput";
import { SequenceEditor, type SequenceValue } from "./SequenceEditor";
import { useSuggestions } from "./suggest";
import { type Scalar, shapeOf } from "./shapes";
import { initialValue } from "./values";
import type { BuilderContext } from "./context";
import type { Texts } from "./texts";

interface ListProps {
  field: CatalogueField;
  valuesUrl: string;
  value: Scalar[];
  texts: Texts;
  onChange: (value: Scalar[]) => void;
}

function ListInput({ field, value, texts, valuesUrl, onChange }: ListProps) {
  const id = useId();
  const [found, load] = useSuggestions(valuesUrl, field.name);
  const [draft, setDraft] = useState("");
  const label = (item: Scalar) => field.values?.find((entry) => entry.name === item)?.label ?? String(item);
  const add = (item: string) => {
    const next: Scalar = isNumber(field) ? Number(item) : item.trim();
    if (item.trim() !== "" && !value.includes(next)) onChange([...value, next]);
    setDraft("");
  };
  return (
    <div className="lc-chips">
      {value.map((item) => (
        <span className="lc-chip" key={String(item)}>
          {label(item)}
          <button type="button" title={texts.remove} onClick={() => onChange(value.filter((old) => old !== item))}>
            <span className="material-symbols-outlined">close</span>
          </button>
        </span>
      ))}
      {field.values?.length ? (
        <select className="lc-input" aria-label={texts.value} value="" onChange={(event) => add(event.target.value)}>
          <option value="">{texts.chooseValue}</option>
          {field.values
            .filter((entry) => !value.includes(entry.name))
            .map((entry) => (
              <option key={entry.name} value={entry.name}>
                {entry.label}
              </option>
            ))}
        </select>
      ) : (
        <>
        <input
          className="lc-input"
          list={id}
          onFocus={field.kind === "text" ? load : undefined}
          type={isNumber(field) ? "number" : "text"}
          placeholder={texts.addValue}
          aria-label={texts.addValue}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={() => add(draft)}
          onKeyDown={(event) => {
            if (event.key === "Enter") {
              event.preventDefault();
              add(draft);
            }
          }}
        />
        <datalist id={id}>
          {found.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        </>
      )}
    </div>
  );
}

export function ValueEditor(props: ValueEditorProps) {
  const { catalogue, texts, problems } = props.context as BuilderContext;
  const field = findField(catalogue, props.field);
  const shape = field ? shapeOf(field, props.operator) : "none";
  const fits = field ? shapeFits(shape, props.value) : true;

  useEffect(() => {
    if (field && !fits) props.handleOnChange(initialValue(catalogue, field, props.operator));
  });

  if (!field) return null;
  const found = problems.get(props.path.join(".")) ?? [];
  const value = fits ? props.value : initialValue(catalogue, field, props.operator);
  return (
    <div className={`lc-value lc-value-${shape}`}>
      {shape === "event" && (
        <EventEditor value={value as EventValue} catalogue={catalogue} texts={texts} onChange={props.handleOnChange} />
      )}
      {shape === "sequence" && (
        <SequenceEditor value={value as SequenceValue} catalogue={catalogue} texts={texts} onChange={props.handleOnChange} />
      )}
      {shape === "scalar" && (
        <ScalarInput
          field={field}
          operator={props.operator}
          valuesUrl={catalogue.valuesUrl}
          value={value as Scalar}
          texts={texts}
          onChange={props.handleOnChange}
        />
      )}
      {shape === "days" && <DaysInput value={value as Scalar} texts={texts} onChange={props.handleOnChange} />}
      {shape === "loan" && (
        <FilterList
          filters={(value as { where: Filter[] }).where}
          properties={catalogue.loan.properties}
          texts={texts}
          valuesUrl={catalogue.valuesUrl}
          onChange={(where) => props.handleOnChange({ where })}
        />
      )}
      {shape === "pair" && (
        <span className="lc-row">
          {[0, 1].map((index) => (
            <span className="lc-row" key={index}>
              {index === 1 && <span className="lc-quiet">{texts.and}</span>}
              <ScalarInput
                field={field}
                texts={texts}
                value={(value as Scalar[])[index] ?? ""}
                onChange={(next) => {
                  const pair = [...(value as Scalar[])];
                  pair[index] = next;
                  props.handleOnChange(pair);
                }}
              />
            </span>
          ))}
        </span>
      )}
      {shape === "list" && <ListInput field={field} value={value as Scalar[]} texts={texts} valuesUrl={catalogue.valuesUrl} onChange={props.handleOnChange} />}
      {found.map((message) => (
        <p className="lc-problem" role="alert" key={message}>
          {message}
        </p>
      ))}
    </div>
  );
}

function shapeFits(shape: string, value: unknown): boolean {
  switch (shape) {
    case "event":
      return typeof value === "object" && value !== null && "event" in value && !("then" in value);
    case "sequence":
      return typeof value === "object" && value !== null && "then" in value;
    case "loan":
      return typeof value === "object" && value !== null && "where" in value;
    case "pair":
      return Array.isArray(value) && value.length === 2;
    case "list":
      return Array.isArray(value);
    case "days":
      return typeof value === "number" || value === "";
    case "none":
      return true;
    default:
      return typeof value !== "object" && value !== undefined;
  }
}
