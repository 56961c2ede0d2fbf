/** Conditions on the properties of one event or one loan. */
import type { CatalogueField } from "./catalogue";
import { DaysInput, ScalarInput } from "./ScalarInput";
import type { Texts } from "./texts";
import { shapeOf, type Scalar } from "./shapes";

export interface Filter {
  property: string;
  operator: string;
  value: Scalar | null;
}

interface Props {
  filters: Filter[];
  properties: CatalogueField[];
  texts: Texts;
  valuesUrl: string;
  onChange: (filters: Filter[]) => void;
}

/** Inside a filter one value is enough: ranges are two filters. */
const simple = (field: CatalogueField) =>
  field.operators.filter((entry) => ["scalar", "days", "none"].includes(shapeOf(field, entry.name)));

export function newFilter(properties: CatalogueField[]): Filter {
  const field = properties[0];
  return { property: field?.name ?? "", operator: field ? (simple(field)[0]?.name ?? "=") : "=", value: "" };
}

function started(field: CatalogueField | undefined, operator: string): Scalar | null {
  const shape = field ? shapeOf(field, operator) : "scalar";
  if (shape === "none") return null;
  if (shape === "days") return 30;
  return field?.kind === "flag" ? true : "";
}

export function FilterList({ filters, properties, texts, valuesUrl, onChange }: Props) {
  const change = (index: number, filter: Filter | null) =>
    onChange(filters.flatMap((old, at) => (at === index ? (filter ? [filter] : []) : [old])));
  return (
    <div className="lc-filters">
      {filters.map((filter, index) => {
        const field = properties.find((entry) => entry.name === filter.property);
        const shape = field ? shapeOf(field, filter.operator) : "scalar";
        return (
          <div className="lc-row" key={index}>
            <span className="lc-quiet">{index === 0 ? texts.where : texts.andAlso}</span>
            <select
              className="lc-input"
              value={filter.property}
              aria-label={texts.where}
              onChange={(event) => {
                const next = properties.find((entry) => entry.name === event.target.value);
                const operator = next ? (simple(next)[0]?.name ?? "=") : "=";
                change(index, { property: event.target.value, operator, value: started(next, operator) });
              }}
            >
              {properties.map((entry) => (
                <option key={entry.name} value={entry.name}>
                  {entry.label}
                </option>
              ))}
            </select>
            <select
              className="lc-input"
              value={filter.operator}
              aria-label={texts.comparison}
              onChange={(event) => {
                const before = field ? shapeOf(field, filter.operator) : "scalar";
                const after = field ? shapeOf(field, event.target.value) : "scalar";
                const value = before === after ? filter.value : started(field, event.target.value);
                change(index, { ...filter, operator: event.target.value, value });
              }}
            >
              {(field ? simple(field) : []).map((entry) => (
                <option key={entry.name} value={entry.name}>
                  {entry.label}
                </option>
              ))}
            </select>
            {field && shape === "scalar" && (
              <ScalarInput
                field={{ ...field, name: `event.${field.name}` }}
                operator={filter.operator}
                valuesUrl={valuesUrl}
                texts={texts}
                value={filter.value ?? ""}
                onChange={(value) => change(index, { ...filter, value })}
              />
            )}
            {shape === "days" && <DaysInput texts={texts} value={filter.value ?? ""} onChange={(value) => change(index, { ...filter, value })} />}
            <button type="button" className="lc-icon" title={texts.remove} aria-label={texts.remove} onClick={() => change(index, null)}>
              <span className="material-symbols-outlined">close</span>
            </button>
          </div>
        );
      })}
      <button type="button" className="lc-link" onClick={() => onChange([...filters, newFilter(properties)])}>
        <span className="material-symbols-outlined" aria-hidden="true">
          filter_alt
        </span>
        {texts.addFilter}
      </button>
    </div>
  );
}
