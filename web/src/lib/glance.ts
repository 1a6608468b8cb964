/** What candles say of one instrument, in the texts of its watchlist row. */

import type { InstrumentRow } from "../messages.gen";
import { istDay } from "./clock";
import { type Close, drift, sparkPath } from "./closes";
import * as format from "./format";
import { type Pattern, patternName, standing, timeframeName } from "./patterns";
import type { Tone } from "./quote";
import type { Reading } from "./readings";
import type { Store } from "./store";

export const SPARK = { width: 66, height: 20 };

export interface PatternTag {
  readonly name: string;
  readonly arrow: "▲" | "▼";
  readonly way: "up" | "down";
  readonly timeframe: string;
  /** Start of its candle: `10:25`. */
  readonly at: string;
}

export interface Glance {
  /** An SVG path in a box of SPARK; empty where too little is known. */
  readonly spark: string;
  readonly sparkTone: Tone;
  readonly sparkText: string;
  readonly rsi: string;
  readonly atr: string;
  /** Where RSI and ATR come from: `5m candle of 10:25`, or why they are withheld. */
  readonly readFrom: string;
  readonly isFlat: boolean;
  readonly isWithheld: boolean;
  readonly volume: string;
  readonly volumeFrom: string;
  readonly pattern: PatternTag | null;
}

/** The newest reading that knows the relative volume of this day, the finest timeframe first. */
export function volumeReading(store: Store, symbol: string, day: number): Reading | null {
  const known = timeframes(store).map((minutes) => store.readings.of(symbol, minutes));
  return known.find((one) => !Number.isNaN(one.relativeVolume) && istDay(one.startMs) === day) ?? null;
}

/** The newest pattern of this day that the last price has not refuted. */
export function standingPattern(store: Store, { symbol, row }: InstrumentRow, day: number): Pattern | null {
  const last = store.table.last_price[row] ?? NaN;
  return standing(store.patterns, symbol, timeframes(store), day, last);
}

const timeframes = (store: Store): readonly number[] => store.hello?.timeframes ?? [];

/** Glances of many instruments; one that cannot have changed keeps its object. */
export function createGlances() {
  const kept = new Map<InstrumentRow, { inputs: readonly unknown[]; glance: Glance }>();
  return (store: Store, one: InstrumentRow, minutes: number, day: number): Glance => {
    const inputs = [
      store.closes.of(one.symbol),
      store.readings.of(one.symbol, minutes),
      volumeReading(store, one.symbol, day),
      standingPattern(store, one, day),
    ] as const;
    const known = kept.get(one);
    if (known !== undefined && inputs.every((input, at) => input === known.inputs[at])) return known.glance;
    const glance = glanceOf(...inputs);
    kept.set(one, { inputs, glance });
    return glance;
  };
}

function glanceOf(
  closes: readonly Close[],
  reading: Reading,
  volume: Reading | null,
  pattern: Pattern | null,
): Glance {
  const drifted = format.percent(drift(closes));
  return {
    spark: sparkPath(closes, SPARK.width, SPARK.height),
    sparkTone: drifted.startsWith("+") ? "up" : drifted.startsWith("−") ? "down" : "none",
    sparkText: drifted,
    rsi: format.fixed(reading.rsi, 1),
    atr: format.fixed(reading.atrPercent, 2),
    readFrom: from(reading),
    isFlat: reading.isFlat,
    isWithheld: reading.withheld !== "",
    volume: volume === null ? format.DASH : `${format.fixed(volume.relativeVolume, 2)}×`,
    volumeFrom: volume === null ? "" : from(volume),
    pattern: pattern === null ? null : tagOf(pattern),
  };
}

function from(reading: Reading): string {
  if (Number.isNaN(reading.startMs)) return "";
  const candle = `${timeframeName(reading.minutes)} candle of ${format.minute(reading.startMs)}`;
  return reading.withheld === "" ? candle : `${candle}: ${reading.withheld}`;
}

function tagOf(pattern: Pattern): PatternTag {
  return {
    name: patternName(pattern),
    arrow: pattern.direction > 0 ? "▲" : "▼",
    way: pattern.direction > 0 ? "up" : "down",
    timeframe: timeframeName(pattern.minutes),
    at: format.minute(pattern.startMs),
  };
}
