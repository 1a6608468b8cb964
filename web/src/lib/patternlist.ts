/** The patterns of the day as a list that a person reads and filters. */

import * as format from "./format";
import { istDay } from "./clock";
import { type MarketMs, type SymbolName, type WallMs } from "./messages";
import { type Pattern, type PatternRecord, patternName, timeframeName } from "./patterns";
import type { Store } from "./store";

export type Way = "up" | "down" | "none";

export interface PatternFilter {
  /** Null takes every timeframe. */
  readonly minutes: number | null;
  readonly way: Way | null;
  /** Only reversals that had a trend to turn. */
  readonly inContext: boolean;
}

export const NO_FILTER: PatternFilter = { minutes: null, way: null, inContext: false };

export interface PatternView {
  readonly key: string;
  readonly symbol: SymbolName;
  readonly minutes: number;
  readonly timeframe: string;
  /** Start of its candle: `10:25`. */
  readonly at: string;
  readonly name: string;
  readonly way: Way;
  readonly arrow: "▲" | "▼" | "◆";
  /** `up, in context, strict`: what it claims. */
  readonly claim: string;
  readonly state: "waiting" | "confirmed" | "not confirmed" | "superseded" | "no direction";
  /** The close that confirms it, and the price that proves it wrong; empty without a direction. */
  readonly confirmation: string;
  readonly invalidation: string;
  readonly record: string;
  /** `40 – 69 %, any candle 48 %`; empty where there is not enough history. */
  readonly recordRange: string;
}

/** What is shown; `waiting` patterns came while the list stood still. */
export interface Listed {
  readonly views: readonly PatternView[];
  readonly total: number;
  readonly waiting: number;
}

/** The list, newest first; it stands still under a pointer or the keyboard focus. */
export class PatternList {
  filter = NO_FILTER;
  pointerOver = false;
  focusWithin = false;
  private shown: readonly string[] = [];
  private readonly views = new Map<Pattern, PatternView>();

  list(store: Store, wall: WallMs): Listed {
    const all = this.ofToday(store, wall);
    const wanted = all.filter((one) => fits(one, this.filter));
    const keys = new Set(this.shown);
    const rows = this.isStill ? wanted.filter((one) => keys.has(keyOf(one))) : wanted;
    if (!this.isStill) this.shown = wanted.map(keyOf);
    return {
      views: rows.map((one) => this.view(store, one)),
      total: all.length,
      waiting: wanted.length - rows.length,
    };
  }

  /** Another filter shows what fits it at once. */
  choose(filter: PatternFilter): void {
    this.filter = filter;
    this.shown = [];
    this.pointerOver = this.focusWithin = false;
  }

  private get isStill(): boolean {
    return (this.pointerOver || this.focusWithin) && this.shown.length > 0;
  }

  private ofToday(store: Store, wall: WallMs): readonly Pattern[] {
    const day = istDay(store.now(wall) ?? NaN);
    const watched = new Set<string>(store.watched.map((one) => one.symbol));
    return store.patterns
      .newest()
      .filter((one) => watched.has(one.symbol) && istDay(one.startMs) === day);
  }

  private view(store: Store, pattern: Pattern): PatternView {
    const known = this.views.get(pattern);
    if (known !== undefined) return known;
    if (this.views.size > MOST_VIEWS) this.views.clear();
    const view = patternView(pattern, store.instrument(pattern.symbol)?.price_scale ?? 1);
    this.views.set(pattern, view);
    return view;
  }
}

const MOST_VIEWS = 5_000;

function fits(pattern: Pattern, { minutes, way, inContext }: PatternFilter): boolean {
  if (minutes !== null && pattern.minutes !== minutes) return false;
  if (way !== null && wayOf(pattern.direction) !== way) return false;
  return !inContext || pattern.inContext === true;
}

function keyOf({ symbol, minutes, startMs, name, revision }: Pattern): string {
  return `${symbol} ${minutes} ${startMs} ${name} ${revision}`;
}

export function patternView(pattern: Pattern, scale: number): PatternView {
  const way = wayOf(pattern.direction);
  const price = (units: Pattern["confirmation"]): string =>
    Number.isNaN(units) ? "" : format.price(units, scale);
  return {
    key: keyOf(pattern),
    symbol: pattern.symbol,
    minutes: pattern.minutes,
    timeframe: timeframeName(pattern.minutes),
    at: format.minute(pattern.startMs as MarketMs),
    name: patternName(pattern),
    way,
    arrow: ({ up: "▲", down: "▼", none: "◆" } as const)[way],
    claim: claim(pattern, way),
    state: stateOf(pattern),
    confirmation: price(pattern.confirmation),
    invalidation: price(pattern.invalidation),
    ...recordWords(pattern),
  };
}

function wayOf(direction: number): Way {
  if (direction === 0) return "none";
  return direction > 0 ? "up" : "down";
}

function claim({ inContext, strict }: Pattern, way: Way): string {
  const words: string[] = [way === "none" ? "no direction" : way];
  if (inContext !== null) words.push(inContext ? "in context" : "no trend to turn");
  if (strict !== null) words.push(strict ? "strict" : "not strict");
  return words.join(" · ");
}

function stateOf({ superseded, direction, confirmed }: Pattern): PatternView["state"] {
  if (superseded) return "superseded";
  if (direction === 0) return "no direction";
  if (confirmed === null) return "waiting";
  return confirmed ? "confirmed" : "not confirmed";
}

function recordWords({ direction, record }: Pattern): { record: string; recordRange: string } {
  if (direction === 0) return { record: "foretells nothing", recordRange: "" };
  return { record: recordWord(record), recordRange: rangeWord(record) };
}

function recordWord({ cases, rate }: PatternRecord): string {
  if (rate === null) return `not enough history (${cases})`;
  return `right ${percent(rate)} % of ${cases}`;
}

function rangeWord({ low, high, baseRate }: PatternRecord): string {
  if (low === null || high === null || baseRate === null) return "";
  return `${percent(low)} – ${percent(high)} %, any candle ${percent(baseRate)} %`;
}

const percent = (rate: number): string => String(Math.round(rate * 100));
