/** Draws every chart of a page from its JSON block with Apache ECharts, in the colours of the theme. */
import type { ECharts } from "echarts";

declare const echarts: typeof import("echarts");

type Json = null | string | number | boolean | Json[] | { [key: string]: Json };
interface Params {
  name: string;
  value: unknown;
  seriesName?: string;
  marker?: string;
  data?: { tip?: string } | unknown;
}

const PALETTE = ["#2563eb", "#16a34a", "#f59e0b", "#dc2626", "#7c3aed", "#0891b2", "#db2777", "#65a30d"];
const language = document.documentElement.lang || "en";
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const count = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const money = new Intl.NumberFormat(language, { style: "currency", currency: "CNY", maximumFractionDigits: 2 });

function numeric(value: unknown): number | null {
  const last = Array.isArray(value) ? value[value.length - 1] : value;
  return typeof last === "number" ? last : null;
}

const written = (format: Intl.NumberFormat, scale = 1) => (value: unknown): string => {
  const number = numeric(typeof value === "object" && value !== null && "value" in value ? value.value : value);
  return number === null ? "" : format.format(number * scale);
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

function tip(params: Params | Params[]): string {
  return (Array.isArray(params) ? params : [params])
    .map((entry) => {
      const own = (entry.data as { tip?: string } | null)?.tip;
      const text = own ?? `${entry.seriesName ? `${entry.seriesName} · ` : ""}${entry.name}: ${String(entry.value ?? "–")}`;
      return escapeHtml(text).replace(/\n/g, "<br>");
    })
    .join("<br>");
}

interface WhiskerApi {
  value(index: number): number;
  coord(point: [number, number]): [number, number];
}

/** A 95 % interval: a vertical line with a short bar at each end. */
function whisker(_params: unknown, api: WhiskerApi): unknown {
  const [x, low] = api.coord([api.value(0), api.value(1)]);
  const [, high] = api.coord([api.value(0), api.value(2)]);
  const style = { stroke: "#94a3b8", lineWidth: 2 };
  const line = (x1: number, y1: number, x2: number, y2: number) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
  return { type: "group", children: [line(x, low, x, high), line(x - 8, low, x + 8, low), line(x - 8, high, x + 8, high)] };
}

/** JSON carries no functions: these names stand for them. */
const FUNCTIONS: Record<string, (...values: never[]) => unknown> = {
  "fn:percent": written(percent),
  "fn:count": written(count),
  "fn:money": written(money),
  "fn:tip": tip,
  "fn:whisker": whisker,
};

function revived(value: Json): unknown {
  if (typeof value === "string") return FUNCTIONS[value] ?? value;
  if (Array.isArray(value)) return value.map(revived);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, revived(entry)]));
  }
  return value;
}

interface Look {
  text: string;
  quiet: string;
  line: string;
  face: string;
}

function look(): Look {
  return document.documentElement.classList.contains("dark")
    ? { text: "#e5e7eb", quiet: "#9ca3af", line: "#374151", face: "#111827" }
    : { text: "#111827", quiet: "#6b7280", line: "#e5e7eb", face: "#ffffff" };
}

function themed(option: Record<string, unknown>): Record<string, unknown> {
  const { text, quiet, line, face } = look();
  const axis = (given: unknown) => {
    const one = (entry: Record<string, unknown>) => ({
      ...entry,
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: quiet, ...((entry.axisLabel as object) ?? {}) },
      nameTextStyle: { color: quiet },
      splitLine: { lineStyle: { color: line }, ...((entry.splitLine as object) ?? {}) },
    });
    return Array.isArray(given) ? given.map((entry) => one(entry as Record<string, unknown>)) : given ? one(given as Record<string, unknown>) : given;
  };
  const themedOption: Record<string, unknown> = {
    color: PALETTE,
    backgroundColor: "transparent",
    animationDuration: 400,
    grid: { left: 8, right: 16, top: 32, bottom: 8, containLabel: true },
    // Read out number by number a chart tells nothing: its title stays its name, the table says the rest.
    aria: { enabled: false },
    ...option,
    textStyle: { color: text, fontFamily: "inherit" },
    tooltip: { confine: true, backgroundColor: face, borderColor: line, textStyle: { color: text }, ...((option.tooltip as object) ?? {}) },
  };
  if (option.legend) themedOption.legend = { textStyle: { color: quiet }, ...(option.legend as object) };
  // A number that has no room is left out of the picture: the tip and the table tell it.
  if (Array.isArray(option.series)) {
    themedOption.series = option.series.map((entry) => ({ labelLayout: { hideOverlap: true }, ...(entry as object) }));
  }
  if (option.xAxis) themedOption.xAxis = axis(option.xAxis);
  if (option.yAxis) themedOption.yAxis = axis(option.yAxis);
  return themedOption;
}

function draw(element: HTMLElement): void {
  const block = document.getElementById(element.dataset.chart ?? "");
  if (!block?.textContent) return;
  const option = revived(JSON.parse(block.textContent) as Json) as Record<string, unknown>;
  let chart: ECharts | null = null;
  const paint = () => chart?.setOption(themed(option) as never, true);
  // The first width inside the admin's layout is 0: a chart made then stays blank.
  new ResizeObserver(() => {
    if (element.clientWidth === 0 || element.clientHeight === 0) return;
    if (chart) chart.resize();
    else {
      chart = echarts.init(element, undefined, { renderer: "canvas" });
      paint();
      element.dataset.drawn = "true";
    }
  }).observe(element);
  new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
}

function start(): void {
  document.querySelectorAll<HTMLElement>("[data-chart]").forEach(draw);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
