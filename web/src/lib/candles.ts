/** The candles of the one chart: merging what arrives, gaps, and the words for a candle. */

import type { CandleRow, CandleState } from "../messages.gen";
import { type MarketMs, type PriceUnits, marketMs, priceUnits } from "./messages";

/** One candle; prices and volume of a missing one are NaN. */
export interface Candle {
  readonly startMs: MarketMs;
  readonly open: PriceUnits;
  readonly high: PriceUnits;
  readonly low: PriceUnits;
  readonly close: PriceUnits;
  readonly volume: number;
  readonly state: CandleState;
  readonly confirmed: boolean;
  readonly revision: number;
}

export function candleOf(row: CandleRow): Candle {
  const [startMs, open, high, low, close, volume, state, confirmed, revision] = row;
  return {
    startMs: marketMs(startMs),
    open: priceUnits(open ?? NaN),
    high: priceUnits(high ?? NaN),
    low: priceUnits(low ?? NaN),
    close: priceUnits(close ?? NaN),
    volume: volume ?? NaN,
    state,
    confirmed,
    revision,
  };
}

const MOST = 2_000;
const KEPT = 1_500;

/**
 * Candles of one symbol and timeframe, oldest first.
 * `generation` rises when all of them were replaced; `takeChanged` yields the rest, once.
 */
export class CandleSeries {
  generation = 0;
  candles: Candle[] = [];
  private changed: Candle[] = [];

  replace(candles: Candle[]): void {
    this.candles = candles;
    this.changed = [];
    this.generation += 1;
  }

  /** Take one candle in; a running candle never replaces a closed one. Whether it was taken. */
  merge(candle: Candle): boolean {
    const at = this.place(candle.startMs);
    const known = this.candles[at];
    if (known?.startMs === candle.startMs) {
      if (!supersedes(candle, known)) return false;
      this.candles[at] = candle;
    } else {
      const isLate = at < this.candles.length;
      this.candles.splice(at, 0, candle);
      if (isLate) {
        this.replace(this.candles);
        return true;
      }
    }
    this.changed.push(candle);
    if (this.candles.length > MOST) this.replace(this.candles.slice(-KEPT));
    return true;
  }

  takeChanged(): Candle[] {
    const changed = this.changed;
    this.changed = [];
    return changed;
  }

  get last(): Candle | null {
    return this.candles.at(-1) ?? null;
  }

  /** Index of the first candle that does not start before the moment. */
  private place(startMs: MarketMs): number {
    let at = this.candles.length;
    while (at > 0 && (this.candles[at - 1]?.startMs ?? 0) >= startMs) at -= 1;
    return at;
  }
}

function supersedes(candle: Candle, known: Candle): boolean {
  if (candle.state === "forming" && known.state !== "forming") return false;
  return candle.revision >= known.revision;
}

const IST_MS = 19_800_000;
const DAY_MS = 86_400_000;

export const istDay = (ms: number): number => Math.floor((ms + IST_MS) / DAY_MS);

/** Starts between two neighbouring candles of one day in which nothing traded. */
export function missingStarts(before: MarketMs, after: MarketMs, minutes: number): MarketMs[] {
  const starts: MarketMs[] = [];
  if (istDay(before) !== istDay(after)) return starts;
  for (let at = before + minutes * 60_000; at < after; at += minutes * 60_000) {
    starts.push(marketMs(at));
  }
  return starts;
}

/** What the state means, for the legend and the readout. */
export const STATE_WORDS: Readonly<Record<CandleState, string>> = {
  forming: "forming: still open",
  provisional: "provisional: closed, not yet checked",
  final: "final",
  backfilled: "backfilled from the broker's history",
  missing: "missing",
};

/** `final, unconfirmed` and the like. */
export function stateText(candle: Candle): string {
  const revised = candle.revision > 0 ? `, revision ${candle.revision}` : "";
  const confirmed = candle.state === "final" && !candle.confirmed ? ", unconfirmed" : "";
  return `${candle.state}${confirmed}${revised}`;
}
