/** Which shape a condition's value has, and the value a new condition starts with. */
import type { Catalogue, CatalogueField } from "./catalogue";
import { defaultEvent } from "./EventEditor";
import { newFilter } from "./FilterList";
import { defaultSequence } from "./SequenceEditor";

export type Scalar = string | number | boolean;
export type Shape = "none" | "scalar" | "pair" | "list" | "days" | "event" | "sequence" | "loan";

export function shapeOf(field: CatalogueField, operator: string): Shape {
  if (field.kind === "event") return "event";
  if (field.kind === "sequence") return "sequence";
  if (field.kind === "loan") return "loan";
  switch (operator) {
    case "null":
    case "notNull":
    case "granted":
    case "not_granted":
      return "none";
    case "between":
    case "notBetween":
      return "pair";
    case "in":
    case "notIn":
      return "list";
    case "inLastDays":
    case "inNextDays":
    case "moreThanDaysAgo":
      return "days";
    default:
      return "scalar";
  }
}

export function initialValue(catalogue: Catalogue, field: CatalogueField, operator: string): unknown {
  switch (shapeOf(field, operator)) {
    case "event":
      return defaultEvent(catalogue);
    case "sequence":
      return defaultSequence(catalogue);
    case "loan":
      return { where: catalogue.loan.properties.slice(0, 2).map((field) => newFilter([field])) };
    case "none":
      return null;
    case "pair":
      return ["", ""];
    case "list":
      return [];
    case "days":
      return 30;
    case "scalar":
      return field.kind === "flag" ? true : "";
  }
}
