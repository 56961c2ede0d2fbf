/** One event followed, or not followed, by another within so many days. */
import { propertiesOf, type Catalogue } from "./catalogue";
import { PeriodEditor, Select, whereFor } from "./EventEditor";
import { FilterList, type Filter } from "./FilterList";
import { DaysInput } from "./ScalarInput";
import type { Texts } from "./texts";

export interface SequenceValue {
  event: string;
  then: string;
  followed: boolean;
  days: number | "";
  within_days?: number | "";
  between?: [string, string];
  where?: Filter[];
  then_where?: Filter[];
}

const known = (catalogue: Catalogue, name: string): string =>
  (catalogue.event.events.find((entry) => entry.name === name) ?? catalogue.event.events[0])?.name ?? "";

export const defaultSequence = (catalogue: Catalogue): SequenceValue => ({
  event: known(catalogue, "application_started"),
  then: known(catalogue, "application_submitted"),
  followed: false,
  days: 7,
  within_days: 90,
});

interface Props {
  value: SequenceValue;
  catalogue: Catalogue;
  texts: Texts;
  onChange: (value: SequenceValue) => void;
}

export function SequenceEditor({ value, catalogue, texts, onChange }: Props) {
  const { events } = catalogue.event;
  const setFilters = (key: "where" | "then_where", filters: Filter[]) => {
    const next = { ...value, [key]: filters };
    if (!filters.length) delete next[key];
    onChange(next);
  };
  return (
    <div className="lc-event">
      <div className="lc-row">
        <Select label={texts.event} value={value.event} choices={events} onChange={(event) => onChange({ ...value, event, where: whereFor(catalogue, event, value.where) })} />
        <PeriodEditor value={value} texts={texts} onChange={onChange} />
      </div>
      <FilterList filters={value.where ?? []} properties={propertiesOf(catalogue, value.event)} texts={texts} valuesUrl={catalogue.valuesUrl} onChange={(where) => setFilters("where", where)} />
      <div className="lc-row">
        <Select
          label={texts.followed}
          value={value.followed ? "yes" : "no"}
          choices={[
            { name: "no", label: texts.notFollowedBy },
            { name: "yes", label: texts.followedBy },
          ]}
          onChange={(choice) => onChange({ ...value, followed: choice === "yes" })}
        />
        <Select label={texts.thenEvent} value={value.then} choices={events} onChange={(then) => onChange({ ...value, then, then_where: whereFor(catalogue, then, value.then_where) })} />
        <span className="lc-quiet">{texts.within}</span>
        <DaysInput texts={texts} value={value.days} onChange={(days) => onChange({ ...value, days: days as number | "" })} />
      </div>
      <FilterList filters={value.then_where ?? []} properties={propertiesOf(catalogue, value.then)} texts={texts} valuesUrl={catalogue.valuesUrl} onChange={(where) => setFilters("then_where", where)} />
    </div>
  );
}
