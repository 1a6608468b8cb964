/** What is drawn over the candles of the one chart: the values of indicators, and patterns. */

import type { PatternRow, Series, SeriesRow, SeriesUpdate } from "../messages.gen";
import { type MarketMs, type PriceUnits, marketMs, priceUnits } from "./messages";

/** The indicators of one candle, in the order of the series' names; NaN is not ready. */
export interface StudyRow {
  readonly startMs: MarketMs;
  /** How many candles went into the values. */
  readonly bars: number;
  readonly values: readonly number[];
  /** Whose window was flat: the value is neutral and says nothing. */
  readonly degenerate: readonly string[];
  readonly forming: boolean;
}

/** A pattern that ended with a candle, and what came of its like so far. */
export interface Pattern {
  readonly startMs: MarketMs;
  readonly name: string;
  readonly direction: -1 | 0 | 1;
  readonly strict: boolean | null;
  readonly inContext: boolean | null;
  readonly confirmed: boolean | null;
  /** The price beyond which it failed. */
  readonly invalidation: PriceUnits;
  readonly cases: number;
  /** Null below thirty cases. */
  readonly record: { readonly rate: number; readonly low: number; readonly high: number; readonly base: number } | null;
}

/** Rows and patterns by the start of their candle; `generation` rises when all were replaced. */
export class OverlaySeries {
  generation = 0;
  patternGeneration = 0;
  names: readonly string[] = [];
  barsNeeded = 0;
  /** As the candle after the settled ones forms; null while that is not known. */
  forming: StudyRow | null = null;
  private settled = new Map<MarketMs, StudyRow>();
  private found = new Map<MarketMs, Pattern[]>();
  private changed: StudyRow[] = [];

  clear(): void {
    this.begin([]);
  }

  replace(series: Series): void {
    this.begin(series.names);
    this.barsNeeded = series.bars_needed;
    for (const row of series.rows) this.settle(row);
    this.changed = [];
    for (const row of series.patterns) this.add(patternOf(row));
  }

  update({ settled, forming }: SeriesUpdate): void {
    if (settled !== null) this.settle(settled);
    this.forming = forming === null ? null : rowOf(forming, true);
  }

  /** Add a pattern, or put it in the place of an older one of its name. */
  add(pattern: Pattern): void {
    this.remove(pattern.startMs, pattern.name);
    const found = this.found.get(pattern.startMs);
    if (found === undefined) this.found.set(pattern.startMs, [pattern]);
    else found.push(pattern);
    this.patternGeneration += 1;
  }

  /** Forget a pattern that does not stand any more. */
  remove(startMs: MarketMs, name: string): void {
    const found = this.found.get(startMs);
    const at = found?.findIndex((one) => one.name === name) ?? -1;
    if (at < 0) return;
    found?.splice(at, 1);
    this.patternGeneration += 1;
  }

  /** Settled rows, oldest first. */
  rows(): StudyRow[] {
    return [...this.settled.values()];
  }

  row(startMs: MarketMs): StudyRow | null {
    if (this.forming?.startMs === startMs) return this.forming;
    return this.settled.get(startMs) ?? null;
  }

  patterns(startMs: MarketMs): readonly Pattern[] {
    return this.found.get(startMs) ?? [];
  }

  /** All patterns, by candle, oldest first. */
  allPatterns(): Pattern[][] {
    return [...this.found.values()].filter((found) => found.length > 0);
  }

  /** Settled rows that came since the last call. */
  takeChanged(): StudyRow[] {
    const changed = this.changed;
    this.changed = [];
    return changed;
  }

  private begin(names: readonly string[]): void {
    this.names = names;
    this.settled = new Map();
    this.found = new Map();
    this.forming = null;
    this.changed = [];
    this.generation += 1;
    this.patternGeneration += 1;
  }

  private settle(wire: SeriesRow): void {
    const row = rowOf(wire, false);
    this.settled.set(row.startMs, row);
    this.changed.push(row);
    if (this.forming !== null && this.forming.startMs <= row.startMs) this.forming = null;
  }
}

function rowOf([startMs, bars, values, degenerate]: SeriesRow, forming: boolean): StudyRow {
  const numbers = values.map((value) => value ?? NaN);
  return { startMs: marketMs(startMs), bars, values: numbers, degenerate, forming };
}

function patternOf(row: PatternRow): Pattern {
  const [startMs, name, , direction, strict, inContext, , confirmed, invalidation, cases, rate, low, high, base] = row;
  const known = rate !== null && low !== null && high !== null && base !== null;
  return {
    startMs: marketMs(startMs),
    name,
    direction: signOf(direction),
    strict,
    inContext,
    confirmed,
    invalidation: priceUnits(invalidation ?? NaN),
    cases,
    record: known ? { rate, low, high, base } : null,
  };
}

const signOf = (value: number): -1 | 0 | 1 => (value > 0 ? 1 : value < 0 ? -1 : 0);
