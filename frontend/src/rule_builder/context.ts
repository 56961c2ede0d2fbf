/** What every control of the builder is handed. */
import type { Catalogue } from "./catalogue";
import type { Texts } from "./texts";

export interface BuilderContext {
  catalogue: Catalogue;
  texts: Texts;
  problems: Map<string, string[]>;
}
