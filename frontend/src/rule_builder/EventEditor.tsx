/** One event condition: what happened, how it is measured, against what, in which period, with which properties. */
import type { Catalogue } from "./catalogue";
import { operatorLabel, type Texts } from "./texts";

export interface EventFilter {
  property: string;
  operator: string;
  value: string | number;
}

export interface EventValue {
  event: string;
  aggregate: "count" | "sum_amount" | "days_since_last" | "days_since_first";
  operator: string;
  value: number | "";
  within_days?: number | "";
  between?: [string, string];
  where?: EventFilter[];
}

const COMPARISONS = [">=", "<=", "=", ">", "<"];
const AGGREGATES = ["count", "sum_amount", "days_since_last", "days_since_first"] as const;

export const defaultEvent = (catalogue: Catalogue): EventValue => ({
  event: catalogue.events.find((entry) => entry.name === "app_login")?.name ?? catalogue.events[0]?.name ?? "",
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

const toNumber = (text: string): number | "" => (text === "" ? "" : Number(text));

function PeriodEditor({ value, texts, onChange }: Omit<Props, "catalogue">) {
  const mode = value.between ? "between" : value.within_days !== undefined ? "days" : "ever";
  const setMode = (next: string) => {
    const { between: _between, within_days: _days, ...rest } = value;
    if (next === "days") onChange({ ...rest, within_days: 30 });
    else if (next === "between") onChange({ ...rest, between: ["", ""] });
    else onChange(rest);
  };
  return (
    <>
      <select className="lc-input" aria-label={texts.window} value={mode} onChange={(event) => setMode(event.target.value)}>
        <option value="days">{texts.lastDays}</option>
        <option value="between">{texts.betweenDates}</option>
        <option value="ever">{texts.ever}</option>
      </select>
      {mode === "days" && (
        <span className="lc-unit">
          <input
            type="number"
            min={1}
            className="lc-input lc-number"
            aria-label={texts.days}
            value={value.within_days}
            onChange={(event) => onChange({ ...value, within_days: toNumber(event.target.value) })}
          />
          {texts.days}
        </span>
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

function FilterEditor({ value, catalogue, texts, onChange }: Props) {
  const filters = value.where ?? [];
  const change = (index: number, filter: EventFilter | null) => {
    const next = filters.flatMap((old, at) => (at === index ? (filter ? [filter] : []) : [old]));
    const { where: _where, ...rest } = value;
    onChange(next.length ? { ...rest, where: next } : rest);
  };
  return (
    <div className="lc-filters">
      {filters.map((filter, index) => {
        const property = catalogue.eventProperties.find((entry) => entry.name === filter.property);
        const isNumber = property?.type === "number";
        return (
          <div className="lc-row" key={index}>
            <span className="lc-quiet">{texts.where}</span>
            <select
              className="lc-input"
              value={filter.property}
              aria-label={texts.where}
              onChange={(event) => change(index, { property: event.target.value, operator: "=", value: "" })}
            >
              {catalogue.eventProperties.map((entry) => (
                <option key={entry.name} value={entry.name}>
                  {entry.label}
                </option>
              ))}
            </select>
            <select
              className="lc-input"
              value={filter.operator}
              aria-label={texts.comparison}
              onChange={(event) => change(index, { ...filter, operator: event.target.value })}
            >
              {(isNumber ? COMPARISONS : ["=", "!="]).map((name) => (
                <option key={name} value={name}>
                  {operatorLabel(catalogue.language, name)}
                </option>
              ))}
            </select>
            {property?.values?.length ? (
              <select
                className="lc-input"
                value={String(filter.value)}
                aria-label={texts.value}
                onChange={(event) => change(index, { ...filter, value: event.target.value })}
              >
                <option value="">{texts.chooseValue}</option>
                {property.values.map((entry) => (
                  <option key={entry.name} value={entry.name}>
                    {entry.label}
                  </option>
                ))}
              </select>
            ) : (
              <input
                className="lc-input"
                type={isNumber ? "number" : "text"}
                value={filter.value}
                aria-label={texts.value}
                onChange={(event) =>
                  change(index, { ...filter, value: isNumber ? toNumber(event.target.value) : event.target.value })
                }
              />
            )}
            <button type="button" className="lc-icon" title={texts.remove} onClick={() => change(index, null)}>
              <span className="material-symbols-outlined">close</span>
            </button>
          </div>
        );
      })}
      <button
        type="button"
        className="lc-link"
        onClick={() =>
          onChange({
            ...value,
            where: [...filters, { property: catalogue.eventProperties[0]?.name ?? "channel", operator: "=", value: "" }],
          })
        }
      >
        <span className="material-symbols-outlined">filter_alt</span>
        {texts.addFilter}
      </button>
    </div>
  );
}

export function EventEditor(props: Props) {
  const { value, catalogue, texts, onChange } = props;
  const aggregateLabels = {
    count: texts.count,
    sum_amount: texts.sumAmount,
    days_since_last: texts.daysSinceLast,
    days_since_first: texts.daysSinceFirst,
  };
  return (
    <div className="lc-event">
      <div className="lc-row">
        <select
          className="lc-input"
          aria-label={texts.event}
          value={value.event}
          onChange={(event) => onChange({ ...value, event: event.target.value })}
        >
          {catalogue.events.map((entry) => (
            <option key={entry.name} value={entry.name}>
              {entry.label}
            </option>
          ))}
        </select>
        <select
          className="lc-input"
          aria-label={texts.measure}
          value={value.aggregate}
          onChange={(event) => onChange({ ...value, aggregate: event.target.value as EventValue["aggregate"] })}
        >
          {AGGREGATES.map((name) => (
            <option key={name} value={name}>
              {aggregateLabels[name]}
            </option>
          ))}
        </select>
        <select
          className="lc-input"
          aria-label={texts.comparison}
          value={value.operator}
          onChange={(event) => onChange({ ...value, operator: event.target.value })}
        >
          {COMPARISONS.map((name) => (
            <option key={name} value={name}>
              {operatorLabel(catalogue.language, name)}
            </option>
          ))}
        </select>
        <input
          type="number"
          className="lc-input lc-number"
          aria-label={texts.amount}
          value={value.value}
          onChange={(event) => onChange({ ...value, value: toNumber(event.target.value) })}
        />
        <PeriodEditor value={value} texts={texts} onChange={onChange} />
      </div>
      <FilterEditor {...props} />
    </div>
  );
}
