/** What the server tells the builder: fields, events, examples, and where to ask for a preview. */
import type { Texts } from "./texts";

export type FieldKind =
  | "integer"
  | "decimal"
  | "text"
  | "choice"
  | "date"
  | "flag"
  | "consent"
  | "segment"
  | "event"
  | "sequence"
  | "loan";

export interface Choice {
  name: string;
  label: string;
}

export interface CatalogueField {
  name: string;
  label: string;
  /** Names in both languages, lower case, for the search. */
  search?: string;
  kind: FieldKind;
  operators: Choice[];
  values?: Choice[];
  unit?: string;
  isProtected?: boolean;
  /** Only the listed values make sense, though the field is text. */
  isClosed?: boolean;
}

export interface FieldGroup {
  label: string;
  options: CatalogueField[];
}

export interface Example {
  label: string;
  rule: unknown;
}

export interface Catalogue {
  language: string;
  texts: Texts;
  help: string;
  fields: FieldGroup[];
  event: { events: Choice[]; aggregates: Choice[]; operators: Choice[]; properties: CatalogueField[]; subjects: Record<string, Choice[]>; needs_subject: string[] };
  loan: { properties: CatalogueField[] };
  examples: Example[];
  previewUrl: string;
  stopUrl: string;
  valuesUrl: string;
}

/** The properties of one kind of event; where its subject is one of a list, it is chosen from it. */
export function propertiesOf(catalogue: Catalogue, event: string): CatalogueField[] {
  const subjects = catalogue.event.subjects[event];
  if (!subjects) return catalogue.event.properties;
  return catalogue.event.properties.map((field) => (field.name === "subject" ? { ...field, values: subjects, isClosed: true } : field));
}

export const isNumber = (field: CatalogueField | undefined): boolean =>
  field?.kind === "integer" || field?.kind === "decimal";

export function findField(catalogue: Catalogue, name: string): CatalogueField | undefined {
  for (const group of catalogue.fields) {
    const found = group.options.find((option) => option.name === name);
    if (found) return found;
  }
  return undefined;
}
