/** A searchable, grouped list of fields: forty fields are too many for a plain drop-down. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { FieldSelectorProps } from "react-querybuilder";
import { findField } from "./catalogue";
import { UNSET } from "./completeness";
import type { BuilderContext } from "./context";

export function FieldSelector(props: FieldSelectorProps) {
  const { catalogue, texts } = props.context as BuilderContext;
  const [isOpen, setIsOpen] = useState(false);
  const [search, setSearch] = useState("");
  const [cursor, setCursor] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  const selected = findField(catalogue, String(props.value ?? ""));

  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event: MouseEvent) => {
      if (!root.current?.contains(event.target as Node)) setIsOpen(false);
    };
    document.addEventListener("mousedown", close);
    return () => document.removeEventListener("mousedown", close);
  }, [isOpen]);

  const groups = useMemo(() => {
    const words = search.trim().toLowerCase();
    return catalogue.fields
      .map((group) => ({
        label: group.label,
        options: group.options.filter(
          (option) =>
            !words ||
            option.label.toLowerCase().includes(words) ||
            option.search?.includes(words) ||
            option.name.toLowerCase().includes(words) ||
            group.label.toLowerCase().includes(words),
        ),
      }))
      .filter((group) => group.options.length > 0);
  }, [catalogue, search]);
  const flat = groups.flatMap((group) => group.options);

  const choose = (name: string) => {
    setIsOpen(false);
    setSearch("");
    props.handleOnChange(name);
  };
  const onKey = (event: React.KeyboardEvent) => {
    if (event.key === "Escape") setIsOpen(false);
    if (event.key === "ArrowDown") setCursor((at) => Math.min(at + 1, flat.length - 1));
    if (event.key === "ArrowUp") setCursor((at) => Math.max(at - 1, 0));
    if (event.key === "Enter") {
      event.preventDefault();
      const option = flat[cursor];
      if (option) choose(option.name);
    }
  };
  const isUnset = !selected && (!props.value || props.value === UNSET);
  return (
    <div className="lc-field" ref={root}>
      <button
        type="button"
        className={`lc-input lc-field-button${isUnset ? " lc-unset" : ""}`}
        aria-haspopup="listbox"
        aria-expanded={isOpen}
        onClick={() => {
          setCursor(0);
          setIsOpen(!isOpen);
        }}
      >
        <span>{selected?.label ?? (isUnset ? texts.chooseField : String(props.value))}</span>
        <span className="material-symbols-outlined" aria-hidden="true">
          expand_more
        </span>
      </button>
      {isOpen && (
        <div className="lc-popup" onKeyDown={onKey}>
          <input
            autoFocus
            type="search"
            className="lc-input lc-search"
            placeholder={texts.searchField}
            aria-label={texts.searchField}
            value={search}
            onChange={(event) => {
              setSearch(event.target.value);
              setCursor(0);
            }}
          />
          <div className="lc-options" role="listbox">
            {groups.map((group) => (
              <div key={group.label}>
                <div className="lc-option-group">{group.label}</div>
                {group.options.map((option) => (
                  <button
                    type="button"
                    role="option"
                    aria-selected={option.name === selected?.name}
                    key={option.name}
                    className={`lc-option${flat[cursor]?.name === option.name ? " lc-cursor" : ""}`}
                    onMouseEnter={() => setCursor(flat.indexOf(option))}
                    onClick={() => choose(option.name)}
                  >
                    <span>{option.label}</span>
                    {option.isProtected && <small>{texts.isProtected}</small>}
                  </button>
                ))}
              </div>
            ))}
            {flat.length === 0 && <div className="lc-none">{texts.noField}</div>}
          </div>
        </div>
      )}
    </div>
  );
}
