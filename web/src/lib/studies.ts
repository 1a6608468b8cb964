/** The indicators a chart can draw: their names, where they stand, and how their lines look. */

import * as format from "./format";
import { priceUnits } from "./messages";

/** Inks of the style sheet (`--study-a` ...); none is a colour of up or down. */
export type Ink = "a" | "b" | "c" | "d" | "e";
export const INKS: readonly Ink[] = ["a", "b", "c", "d", "e"];

export type Dash = "solid" | "dash" | "dots" | "mixed";
export const DASHES: Readonly<Record<Dash, readonly number[]>> = {
  solid: [],
  dash: [6, 4],
  dots: [1.5, 3.5],
  mixed: [7, 3, 1.5, 3],
};

/** One line of a study; `name` is the published one. */
export interface Output {
  readonly name: string;
  readonly label: string;
  readonly ink: Ink;
  readonly dash?: Dash;
  readonly width?: number;
  /** Bars from zero instead of a line. */
  readonly bars?: boolean;
}

export type Unit = "price" | "percent" | "ratio";
export type StudyId = (typeof IDS)[number];

const IDS = [
  "ema", "sma", "vwap", "bollinger", "supertrend", "keltner", "donchian",
  "rsi", "macd", "stochastic", "atr", "momentum",
] as const;

export interface Study {
  readonly id: StudyId;
  readonly label: string;
  /** Over the candles, or in a pane of its own below them. */
  readonly place: "price" | "pane";
  readonly unit: Unit;
  readonly outputs: readonly Output[];
  /** Levels that people look for, drawn across the pane. */
  readonly guides?: readonly number[];
  /** What the pane spans at least; without it, what is seen. */
  readonly span?: readonly [low: number, high: number];
  /** A published value that is not drawn: where it changes, the line begins anew. */
  readonly side?: string;
  /** The line begins anew each day. */
  readonly daily?: boolean;
}

const bands = (k: number, dash: Dash): Output[] => [
  { name: `vwap_upper_${k}`, label: `+${k}σ`, ink: "d", dash },
  { name: `vwap_lower_${k}`, label: `−${k}σ`, ink: "d", dash },
];

const channel = (name: string, ink: Ink, dash: Dash): Output[] => [
  { name: `${name}_upper`, label: "upper", ink, dash },
  { name: `${name}_middle`, label: "middle", ink, dash: "dots" },
  { name: `${name}_lower`, label: "lower", ink, dash },
];

/** All of them, in the order of menu, readout and panes. */
export const STUDIES: readonly Study[] = [
  {
    id: "ema", label: "EMA", place: "price", unit: "price",
    outputs: [
      { name: "ema_9", label: "9", ink: "a" },
      { name: "ema_21", label: "21", ink: "b" },
      { name: "ema_50", label: "50", ink: "c" },
    ],
  },
  {
    id: "sma", label: "SMA", place: "price", unit: "price",
    outputs: [
      { name: "sma_20", label: "20", ink: "a", dash: "mixed" },
      { name: "sma_50", label: "50", ink: "b", dash: "mixed" },
      { name: "sma_200", label: "200", ink: "c", dash: "mixed" },
    ],
  },
  {
    id: "vwap", label: "VWAP", place: "price", unit: "price", daily: true,
    outputs: [
      { name: "vwap", label: "", ink: "d", width: 2 },
      ...bands(1, "dash"), ...bands(2, "mixed"), ...bands(3, "dots"),
    ],
  },
  { id: "bollinger", label: "Bollinger 20, 2", place: "price", unit: "price", outputs: channel("bb", "b", "dash") },
  {
    id: "supertrend", label: "SuperTrend 10, 3", place: "price", unit: "price", side: "supertrend_side",
    outputs: [{ name: "supertrend", label: "", ink: "e", width: 2 }],
  },
  { id: "keltner", label: "Keltner 20, 10, 2", place: "price", unit: "price", outputs: channel("keltner", "a", "dash") },
  { id: "donchian", label: "Donchian 20", place: "price", unit: "price", outputs: channel("donchian", "c", "dash") },
  {
    id: "rsi", label: "RSI 14", place: "pane", unit: "percent", guides: [30, 70], span: [0, 100],
    outputs: [{ name: "rsi_14", label: "", ink: "a" }],
  },
  {
    id: "macd", label: "MACD 12, 26, 9", place: "pane", unit: "price", guides: [0],
    outputs: [
      { name: "macd_hist", label: "histogram", ink: "d", bars: true },
      { name: "macd", label: "line", ink: "a" },
      { name: "macd_signal", label: "signal", ink: "c", dash: "dash" },
    ],
  },
  {
    id: "stochastic", label: "Stochastic 14, 3, 3", place: "pane", unit: "percent", guides: [20, 80], span: [0, 100],
    outputs: [
      { name: "stoch_k", label: "%K", ink: "a" },
      { name: "stoch_d", label: "%D", ink: "c", dash: "dash" },
    ],
  },
  {
    id: "atr", label: "ATR 14", place: "pane", unit: "price",
    outputs: [{ name: "atr_14", label: "", ink: "b" }],
  },
  {
    id: "momentum", label: "Momentum score", place: "pane", unit: "ratio", guides: [0], span: [-1, 1],
    outputs: [{ name: "momentum", label: "", ink: "e" }],
  },
];

/** The published names that these studies need. */
export function namesOf(studies: readonly Study[]): string[] {
  const names = studies.flatMap(({ outputs, side }) => [
    ...outputs.map((output) => output.name),
    ...(side === undefined ? [] : [side]),
  ]);
  return [...new Set(names)];
}

/** A value as a person reads it: rupees for what is a price. */
export function studyText(value: number, unit: Unit, scale: number): string {
  if (unit === "price") return format.price(priceUnits(value), scale);
  return unit === "percent" ? format.figure(value) : format.ratio(value);
}

/** `EMA 9`, `MACD 12, 26, 9 signal`, for tables. */
export function outputTitle(study: Study, output: Output): string {
  return output.label === "" ? study.label : `${study.label} ${output.label}`;
}
