/** What the server tells the builder: fields, events, examples, and where to ask for a preview. */
export type FieldType =
  | "number"
  | "text"
  | "choice"
  | "date"
  | "datetime"
  | "boolean"
  | "consent"
  | "segment"
  | "event";

export interface Choice {
  name: string;
  label: string;
}

export interface CatalogueField {
  name: string;
  label: string;
  type: FieldType;
  operators: string[];
  values?: Choice[];
  unit?: string;
  help?: string;
}

export interface FieldGroup {
  label: string;
  options: CatalogueField[];
}

export interface EventProperty {
  name: string;
  label: string;
  type: "number" | "text";
  values?: Choice[];
}

export interface Example {
  label: string;
  help?: string;
  rule: unknown;
}

export interface Catalogue {
  language: string;
  groups: FieldGroup[];
  events: Choice[];
  eventProperties: EventProperty[];
  examples: Example[];
  previewUrl: string;
}

export function findField(catalogue: Catalogue, name: string): CatalogueField | undefined {
  for (const group of catalogue.groups) {
    const found = group.options.find((option) => option.name === name);
    if (found) return found;
  }
  return undefined;
}
