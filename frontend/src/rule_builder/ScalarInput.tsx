/** One value of one field: a number with its unit, a day, a choice, yes or no, or plain text. */
import { isNumber, type CatalogueField } from "./catalogue";
import type { Texts } from "./texts";
import type { Scalar } from "./values";

interface Props {
  field: CatalogueField;
  value: Scalar;
  texts: Texts;
  onChange: (value: Scalar) => void;
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

export function ScalarInput({ field, value, texts, onChange }: Props) {
  if (field.kind === "flag") {
    return (
      <select className="lc-input" aria-label={texts.value} value={String(value)} onChange={(event) => onChange(event.target.value === "true")}>
        <option value="true">{texts.yes}</option>
        <option value="false">{texts.no}</option>
      </select>
    );
  }
  if (field.values?.length) {
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
