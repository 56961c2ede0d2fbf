/** Finds conditions that are not filled in yet, so that the count waits for them instead of failing. */
import type { RuleGroupType, RuleType } from "react-querybuilder";
import type { EventValue } from "./EventEditor";
import type { Filter } from "./FilterList";
import type { SequenceValue } from "./SequenceEditor";

const NO_VALUE = new Set(["null", "notNull", "granted", "not_granted"]);
const PAIR = new Set(["between", "notBetween"]);
export const UNSET = "~";

const isBlank = (value: unknown): boolean => value === "" || value === null || value === undefined;

function isEventComplete(value: unknown): boolean {
  const event = value as EventValue | null;
  if (!event || typeof event !== "object" || isBlank(event.event) || isBlank(event.value)) return false;
  if (event.within_days !== undefined && isBlank(event.within_days)) return false;
  if (event.between && event.between.some(isBlank)) return false;
  return areFiltersComplete(event.where ?? []);
}

function isSequenceComplete(value: unknown): boolean {
  const sequence = value as SequenceValue | null;
  if (!sequence || typeof sequence !== "object" || isBlank(sequence.event) || isBlank(sequence.then) || isBlank(sequence.days)) return false;
  if (sequence.within_days !== undefined && isBlank(sequence.within_days)) return false;
  if (sequence.between && sequence.between.some(isBlank)) return false;
  return areFiltersComplete([...(sequence.where ?? []), ...(sequence.then_where ?? [])]);
}

const areFiltersComplete = (filters: Filter[]): boolean =>
  filters.every((filter) => !isBlank(filter.property) && (NO_VALUE.has(filter.operator) || !isBlank(filter.value)));

export function isRuleComplete(rule: RuleType): boolean {
  if (!rule.field || rule.field === UNSET) return false;
  if (rule.field === "event") return isEventComplete(rule.value);
  if (rule.field === "sequence") return isSequenceComplete(rule.value);
  if (rule.field === "loan") return areFiltersComplete((rule.value as { where?: Filter[] } | null)?.where ?? []);
  if (NO_VALUE.has(rule.operator)) return true;
  if (PAIR.has(rule.operator)) {
    return Array.isArray(rule.value) && rule.value.length === 2 && !rule.value.some(isBlank);
  }
  if (Array.isArray(rule.value)) return rule.value.length > 0;
  return !isBlank(rule.value);
}

export function isQueryComplete(group: RuleGroupType): boolean {
  return group.rules.every((entry) => {
    if (typeof entry === "string") return true;
    return "rules" in entry ? isQueryComplete(entry as RuleGroupType) : isRuleComplete(entry as RuleType);
  });
}

/** The rule without builder-only keys, ready to be stored. */
export function cleaned(group: RuleGroupType): RuleGroupType {
  const { id: _id, path: _path, ...rest } = group as RuleGroupType & { path?: unknown };
  return {
    ...rest,
    rules: group.rules.map((entry) => {
      if (typeof entry === "string") return entry;
      if ("rules" in entry) return cleaned(entry as RuleGroupType);
      const { id: _ruleId, path: _rulePath, valueSource: _source, ...rule } = entry as RuleType & { path?: unknown };
      return rule;
    }),
  } as RuleGroupType;
}
