/** What the server tells the builder: fields, events, examples, and where to ask for a preview. */
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
  kind: FieldKind;
  operators: Choice[];
  values?: Choice[];
  unit?: string;
  isProtected?: boolean;
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
  help: string;
  fields: FieldGroup[];
  event: { events: Choice[]; aggregates: Choice[]; operators: Choice[]; properties: CatalogueField[] };
  loan: { properties: CatalogueField[] };
  examples: Example[];
  previewUrl: string;
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
