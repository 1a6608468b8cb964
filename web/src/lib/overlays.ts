/** What is drawn over the candles of the one chart: the values of indicators, and patterns. */

import type { Series, SeriesRow, SeriesUpdate } from "../messages.gen";
import { type MarketMs, marketMs } from "./messages";
import { type Pattern, patternOf } from "./patterns";

/** The indicators of one candle, in the order of the series' names; NaN is not ready. */
export interface StudyRow {
  readonly startMs: MarketMs;
  /** How many candles went into the values. */
  readonly bars: number;
  readonly values: readonly number[];
  /** Whose window was flat: the value is neutral and says nothing. */
  readonly degenerate: readonly string[];
  /** Why there are no values although there could be; else empty. */
  readonly withheld: string;
  readonly forming: boolean;
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
  private last: StudyRow | null = null;
  private found = new Map<MarketMs, readonly Pattern[]>();
  private changed: StudyRow[] = [];

  clear(): void {
    this.begin([]);
  }

  replace(series: Series): void {
    this.begin(series.names);
    this.barsNeeded = series.bars_needed;
    for (const row of series.rows) this.settle(row);
    this.changed = [];
    for (const row of series.patterns) this.take(patternOf(row));
  }

  update({ settled, forming }: SeriesUpdate): void {
    if (settled !== null) this.settle(settled);
    this.forming = forming === null ? null : rowOf(forming, true);
  }

  /** Take a pattern in; one that is superseded takes the known one away. */
  take(pattern: Pattern): void {
    const found = this.found.get(pattern.startMs) ?? [];
    const known = found.find((one) => one.name === pattern.name);
    if (known !== undefined && known.revision > pattern.revision) return;
    const others = found.filter((one) => one.name !== pattern.name);
    this.found.set(pattern.startMs, pattern.superseded ? others : [...others, pattern]);
    this.patternGeneration += 1;
  }

  /** Settled rows, oldest first. */
  rows(): StudyRow[] {
    return [...this.settled.values()];
  }

  /** The forming row, else that of the candle that settled last. */
  get newest(): StudyRow | null {
    return this.forming ?? this.last;
  }

  row(startMs: MarketMs): StudyRow | null {
    if (this.forming?.startMs === startMs) return this.forming;
    return this.settled.get(startMs) ?? null;
  }

  patterns(startMs: MarketMs): readonly Pattern[] {
    return this.found.get(startMs) ?? [];
  }

  /** All patterns, by candle, oldest first. */
  allPatterns(): (readonly Pattern[])[] {
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
    this.forming = this.last = null;
    this.changed = [];
    this.generation += 1;
    this.patternGeneration += 1;
  }

  private settle(wire: SeriesRow): void {
    const row = rowOf(wire, false);
    this.settled.set(row.startMs, row);
    this.changed.push(row);
    if (this.last === null || row.startMs >= this.last.startMs) this.last = row;
    if (this.forming !== null && this.forming.startMs <= row.startMs) this.forming = null;
  }
}

function rowOf([startMs, bars, values, degenerate, withheld]: SeriesRow, forming: boolean): StudyRow {
  const numbers = values.map((value) => value ?? NaN);
  return { startMs: marketMs(startMs), bars, values: numbers, degenerate, withheld, forming };
}
