/** One event condition: what happened, how it is measured, against what, in which period, with which properties. */
import { propertiesOf, type Catalogue, type Choice } from "./catalogue";
import { FilterList, type Filter } from "./FilterList";
import { DaysInput, numberFrom } from "./ScalarInput";
import type { Texts } from "./texts";

export interface EventValue {
  event: string;
  aggregate: string;
  operator: string;
  value: number | "";
  within_days?: number | "";
  between?: [string, string];
  where?: Filter[];
}

const COMPARISONS = new Set([">=", "<=", "=", ">", "<", "!="]);

export const defaultEvent = (catalogue: Catalogue): EventValue => ({
  event: catalogue.event.events.find((entry) => entry.name === "app_login")?.name ?? catalogue.event.events[0]?.name ?? "",
  aggregate: "count",
  operator: ">=",
  value: 1,
  within_days: 30,
});

interface Props {
  value: EventValue;
  catalogue: Catalogue;
  texts: Texts;
  onChange: (value: EventValue) => void;
}

interface Period {
  within_days?: number | "";
  between?: [string, string];
}

export function PeriodEditor<Value extends Period>({
  value,
  texts,
  onChange,
}: {
  value: Value;
  texts: Texts;
  onChange: (value: Value) => void;
}) {
  const mode = value.between ? "between" : value.within_days !== undefined ? "days" : "ever";
  const setMode = (next: string) => {
    const { between: _between, within_days: _days, ...rest } = value;
    if (next === "days") onChange({ ...rest, within_days: 30 } as Value);
    else if (next === "between") onChange({ ...rest, between: ["", ""] } as unknown as Value);
    else onChange(rest as Value);
  };
  return (
    <>
      <select className="lc-input" aria-label={texts.window} value={mode} onChange={(event) => setMode(event.target.value)}>
        <option value="days">{texts.lastDays}</option>
        <option value="between">{texts.betweenDates}</option>
        <option value="ever">{texts.ever}</option>
      </select>
      {mode === "days" && (
        <DaysInput texts={texts} value={value.within_days ?? ""} onChange={(days) => onChange({ ...value, within_days: days as number | "" })} />
      )}
      {value.between?.map((day, index) => (
        <input
          key={index}
          type="date"
          className="lc-input"
          aria-label={texts.betweenDates}
          value={day.slice(0, 10)}
          onChange={(event) => {
            const between: [string, string] = [...value.between!];
            between[index] = event.target.value;
            onChange({ ...value, between });
          }}
        />
      ))}
    </>
  );
}

export function Select(props: { label: string; value: string; choices: Choice[]; onChange: (value: string) => void }) {
  return (
    <select className="lc-input" aria-label={props.label} value={props.value} onChange={(event) => props.onChange(event.target.value)}>
      {props.choices.map((entry) => (
        <option key={entry.name} value={entry.name}>
          {entry.label}
        </option>
      ))}
    </select>
  );
}

/** The filters to begin with once an event is chosen: some events need to be told of what. */
export function whereFor(catalogue: Catalogue, event: string, where: Filter[] | undefined): Filter[] {
  const kept = (where ?? []).filter((filter) => filter.property !== "subject");
  return catalogue.event.needs_subject.includes(event) ? [{ property: "subject", operator: "=", value: "" }, ...kept] : kept;
}

export function EventEditor({ value, catalogue, texts, onChange }: Props) {
  const { events, aggregates, operators } = catalogue.event;
  const properties = propertiesOf(catalogue, value.event);
  return (
    <div className="lc-event">
      <div className="lc-row">
        <Select label={texts.event} value={value.event} choices={events} onChange={(event) => onChange({ ...value, event, where: whereFor(catalogue, event, value.where) })} />
        <Select label={texts.measure} value={value.aggregate} choices={aggregates} onChange={(aggregate) => onChange({ ...value, aggregate })} />
        <Select
          label={texts.comparison}
          value={value.operator}
          choices={operators.filter((entry) => COMPARISONS.has(entry.name))}
          onChange={(operator) => onChange({ ...value, operator })}
        />
        <input
          type="number"
          className="lc-input lc-number"
          aria-label={texts.amount}
          value={value.value}
          onChange={(event) => onChange({ ...value, value: numberFrom(event.target.value) })}
        />
        <PeriodEditor value={value} texts={texts} onChange={onChange} />
      </div>
      <FilterList
        filters={value.where ?? []}
        properties={properties}
        texts={texts}
        valuesUrl={catalogue.valuesUrl}
        onChange={(where) => {
          const { where: _where, ...rest } = value;
          onChange(where.length ? { ...rest, where } : rest);
        }}
      />
    </div>
  );
}
