/** The day's candlestick patterns of all symbols, as the program told them. */

import type { ListedPattern, PatternUpdate, Patterns, Trend } from "../messages.gen";
import { istDay } from "./clock";
import { type MarketMs, type PriceUnits, type SymbolName, marketMs, priceUnits, symbolName } from "./messages";

export interface Pattern {
  readonly symbol: SymbolName;
  readonly minutes: number;
  /** Start of the candle with which it ended. */
  readonly startMs: MarketMs;
  /** As the program says it: `three_black_crows`. */
  readonly name: string;
  /** Rises when a corrected candle makes it anew. */
  readonly revision: number;
  readonly value: number;
  /** What it foretells: 1 up, -1 down, 0 nothing. */
  readonly direction: number;
  readonly strict: boolean | null;
  readonly shadowBodyRatio: number | null;
  readonly trend: Trend | null;
  readonly inContext: boolean | null;
  /** The close that confirms it; NaN without a direction. */
  readonly confirmation: PriceUnits;
  /** Null until the next candle closed. */
  readonly confirmed: boolean | null;
  /** The price beyond which it failed; NaN without a direction. */
  readonly invalidation: PriceUnits;
  readonly record: PatternRecord;
  readonly superseded: boolean;
}

/** What came of such patterns of the symbol and timeframe; null where there are too few. */
export interface PatternRecord {
  readonly cases: number;
  readonly rate: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly baseRate: number | null;
}

/** Of one symbol and timeframe. */
const KEPT = 60;
const NONE: readonly Pattern[] = [];

export class PatternBook {
  /** Rises with every change. */
  version = 0;
  private readonly lines = new Map<string, Pattern[]>();
  private readonly versions = new Map<string, number>();
  private listed: { version: number; patterns: readonly Pattern[] } = { version: -1, patterns: NONE };

  /** The patterns of a symbol and timeframe, oldest first. */
  of(symbol: string, minutes: number): readonly Pattern[] {
    return this.lines.get(lineName(symbol, minutes)) ?? NONE;
  }

  /** All of them, newest first. */
  newest(): readonly Pattern[] {
    if (this.listed.version !== this.version) {
      const patterns = [...this.lines.values()].flat().sort((a, b) => byEnd(b, a));
      this.listed = { version: this.version, patterns };
    }
    return this.listed.patterns;
  }

  /** Rises with every change of the symbol's patterns. */
  versionOf(symbol: string): number {
    return this.versions.get(symbol) ?? 0;
  }

  take(told: Patterns): void {
    if (told.is_all) this.lines.clear();
    told.patterns.forEach((row) => this.put(patternOf(row)));
    this.version += 1;
  }

  update(told: PatternUpdate): void {
    this.put(patternOf(told.pattern));
    this.version += 1;
  }

  private put(pattern: Pattern): void {
    const name = lineName(pattern.symbol, pattern.minutes);
    const line = this.lines.get(name) ?? [];
    const same = line.findLastIndex((one) => isSame(one, pattern));
    if (same >= 0) line[same] = pattern;
    else line.splice(1 + line.findLastIndex((one) => one.startMs <= pattern.startMs), 0, pattern);
    this.lines.set(name, line.slice(-KEPT));
    this.versions.set(pattern.symbol, this.versionOf(pattern.symbol) + 1);
  }
}

/**
 * The newest pattern of a symbol and day that foretells something and still may: not superseded,
 * not refuted by the next candle, and its invalidation not passed by the last price.
 */
export function standing(
  book: PatternBook,
  symbol: string,
  timeframes: readonly number[],
  day: number,
  last: number,
): Pattern | null {
  const newest = timeframes.map((minutes) =>
    book.of(symbol, minutes).findLast((one) => istDay(one.startMs) === day && stands(one, last)),
  );
  return newest.reduce<Pattern | null>(
    (best, one) => (one !== undefined && (best === null || byEnd(one, best) > 0) ? one : best),
    null,
  );
}

function stands(pattern: Pattern, last: number): boolean {
  const { direction, confirmed, superseded } = pattern;
  return direction !== 0 && !superseded && confirmed !== false && !isPassed(pattern, last);
}

/** Whether a price lies beyond the one that proves the pattern wrong. */
export function isPassed({ direction, invalidation }: Pattern, price: number): boolean {
  return (invalidation - price) * direction > 0;
}

/** `Three black crows`. */
export function patternName(pattern: Pattern): string {
  const words = pattern.name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `5m`. */
export const timeframeName = (minutes: number): string => `${minutes}m`;

export const endMs = (pattern: Pattern): MarketMs => marketMs(pattern.startMs + pattern.minutes * 60_000);

/** By the end of the candle; of those that ended together the longer one weighs more. */
function byEnd(a: Pattern, b: Pattern): number {
  return endMs(a) - endMs(b) || a.minutes - b.minutes || Number(a.inContext) - Number(b.inContext);
}

function isSame(a: Pattern, b: Pattern): boolean {
  return a.startMs === b.startMs && a.name === b.name && a.revision === b.revision;
}

const lineName = (symbol: string, minutes: number): string => `${symbol} ${minutes}`;

const price = (units: number | null): PriceUnits => priceUnits(units ?? NaN);

/** The pattern of a message. */
export function patternOf(row: ListedPattern): Pattern {
  const [
    symbol, minutes, startMs, name, revision, value, direction, strict, shadowBodyRatio, trend,
    inContext, confirmation, confirmed, invalidation, cases, rate, low, high, baseRate, superseded,
  ] = row;
  return {
    symbol: symbolName(symbol),
    minutes,
    startMs: marketMs(startMs),
    name,
    revision,
    value,
    direction,
    strict,
    shadowBodyRatio,
    trend,
    inContext,
    confirmation: price(confirmation),
    confirmed,
    invalidation: price(invalidation),
    record: { cases, rate, low, high, baseRate },
    superseded,
  };
}
