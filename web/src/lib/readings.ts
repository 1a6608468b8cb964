/** Some indicators of every symbol after its newest settled candle, by timeframe. */

import type { ReadingRow, Readings } from "../messages.gen";
import { type MarketMs, marketMs } from "./messages";

/** NaN where it is not known, also while the indicators are warming. */
export interface Reading {
  readonly minutes: number;
  /** Start of the candle; NaN where none settled. */
  readonly startMs: MarketMs;
  readonly rsi: number;
  /** The window did not move: the RSI is neutral and says nothing. */
  readonly isFlat: boolean;
  /** Average true range in percent of the price. */
  readonly atrPercent: number;
  /** Volume against the usual volume of that time of day. */
  readonly relativeVolume: number;
  /** Why there are no values although there could be; else empty. */
  readonly withheld: string;
}

export const NO_READING: Reading = {
  minutes: 0,
  startMs: marketMs(NaN),
  rsi: NaN,
  isFlat: false,
  atrPercent: NaN,
  relativeVolume: NaN,
  withheld: "",
};

export class ReadingBook {
  /** Rises with every message. */
  version = 0;
  private readonly readings = new Map<string, Reading>();

  of(symbol: string, minutes: number): Reading {
    return this.readings.get(`${symbol} ${minutes}`) ?? NO_READING;
  }

  take(told: Readings): void {
    if (told.is_all) this.readings.clear();
    for (const row of told.readings) this.readings.set(`${row[0]} ${row[1]}`, readingOf(row));
    this.version += 1;
  }
}

function readingOf([, minutes, startMs, rsi, isFlat, atr, volume, withheld]: ReadingRow): Reading {
  return {
    minutes,
    startMs: marketMs(startMs),
    rsi: rsi ?? NaN,
    isFlat,
    atrPercent: atr ?? NaN,
    relativeVolume: volume ?? NaN,
    withheld,
  };
}
