/** Which shape a condition's value has. */
import type { CatalogueField } from "./catalogue";

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
