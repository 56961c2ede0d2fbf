/** One value of one field: a number with its unit, a day, a choice, yes or no, or plain text. */
import { useId } from "react";
import { isNumber, type CatalogueField } from "./catalogue";
import { useSuggestions } from "./suggest";
import type { Texts } from "./texts";
import type { Scalar } from "./shapes";

interface Props {
  field: CatalogueField;
  value: Scalar;
  texts: Texts;
  onChange: (value: Scalar) => void;
  operator?: string;
  valuesUrl?: string;
}

export const numberFrom = (text: string): number | "" => (text === "" ? "" : Number(text));

export function DaysInput({ value, texts, onChange }: Omit<Props, "field">) {
  return (
    <span className="lc-unit">
      <input
        type="number"
        min={1}
        className="lc-input lc-number"
        aria-label={texts.days}
        value={String(value)}
        onChange={(event) => onChange(numberFrom(event.target.value))}
      />
      {texts.days}
    </span>
  );
}

/** Free text with suggestions: values given with the field, or those that customers have. */
function TextInput({ field, value, texts, onChange, operator, valuesUrl }: Props) {
  const id = useId();
  const [found, load] = useSuggestions(valuesUrl ?? "", field.name);
  const isPattern = operator === "regex";
  const listed = field.values ?? found.map((name) => ({ name, label: name }));
  return (
    <>
      <input
        type="text"
        className={`lc-input${isPattern ? " lc-pattern" : ""}`}
        aria-label={texts.value}
        title={isPattern ? texts.patternHint : undefined}
        placeholder={isPattern ? texts.patternExample : undefined}
        list={isPattern ? undefined : id}
        value={String(value)}
        onFocus={isPattern || field.values || !valuesUrl ? undefined : load}
        onChange={(event) => onChange(event.target.value)}
      />
      {!isPattern && (
        <datalist id={id}>
          {listed.map((entry) => (
            <option key={entry.name} value={entry.name}>
              {entry.label}
            </option>
          ))}
        </datalist>
      )}
    </>
  );
}

export function ScalarInput(props: Props) {
  const { field, value, texts, onChange } = props;
  if (field.kind === "flag") {
    return (
      <select className="lc-input" aria-label={texts.value} value={String(value)} onChange={(event) => onChange(event.target.value === "true")}>
        <option value="true">{texts.yes}</option>
        <option value="false">{texts.no}</option>
      </select>
    );
  }
  if (field.values?.length && (field.kind !== "text" || field.isClosed)) {
    return (
      <select className="lc-input" aria-label={texts.value} value={String(value)} onChange={(event) => onChange(event.target.value)}>
        <option value="">{texts.chooseValue}</option>
        {field.values.map((entry) => (
          <option key={entry.name} value={entry.name}>
            {entry.label}
          </option>
        ))}
      </select>
    );
  }
  if (isNumber(field)) {
    return (
      <span className="lc-unit">
        <input
          type="number"
          step="any"
          className="lc-input lc-number"
          aria-label={texts.value}
          value={String(value)}
          onChange={(event) => onChange(numberFrom(event.target.value))}
        />
        {field.unit}
      </span>
    );
  }
  if (field.kind === "text") return <TextInput {...props} />;
  return (
    <input
      type={field.kind === "date" ? "date" : "text"}
      className="lc-input"
      aria-label={texts.value}
      value={String(value)}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
