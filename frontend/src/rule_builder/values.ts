/** The value that a new condition starts with. */
import type { Catalogue, CatalogueField } from "./catalogue";
import { defaultEvent } from "./EventEditor";
import { newFilter } from "./FilterList";
import { defaultSequence } from "./SequenceEditor";
import { shapeOf } from "./shapes";

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
