/** Candles as the chart library wants them: rupees, chart time, colours by direction and state. */

import type {
  CandlestickData,
  HistogramData,
  Time,
  UTCTimestamp,
  WhitespaceData,
} from "lightweight-charts";
import { type Candle, missingStarts } from "./candles";
import { inRupees } from "./format";
import type { HatchedBar, Marks, MissingRun } from "./marks";
import type { Ink } from "./studies";
import { type MarketMs, marketMs, priceUnits } from "./messages";

/** The colours of the theme, `#rrggbb`, as written in the style sheet. */
export interface Colours {
  readonly up: string;
  readonly down: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly panel: string;
  readonly accent: string;
  readonly stale: string;
  /** What has to be seen but is no text: guides. */
  readonly control: string;
  /** The lines of the indicators. */
  readonly inks: Readonly<Record<Ink, string>>;
}

const IST_S = 19_800;

/** The axis counts IST as if it were UTC, so that its marks fall on Indian hours and days. */
export const chartTime = (ms: MarketMs): UTCTimestamp => (ms / 1000 + IST_S) as UTCTimestamp;
export const marketTime = (time: Time): MarketMs => marketMs((Number(time) - IST_S) * 1000);

/** A moment of the axis; without a candle it stays blank. */
export interface Point {
  readonly time: UTCTimestamp;
  readonly candle: Candle | null;
}

/** Each candle, the tradeless starts since the one before as blanks; a missing one is blank too. */
export function* points(
  candles: Iterable<Candle>,
  before: Candle | undefined,
  minutes: number,
): Generator<Point> {
  let last = before;
  for (const candle of candles) {
    const blanks = last === undefined ? [] : missingStarts(last.startMs, candle.startMs, minutes);
    for (const start of blanks) yield { time: chartTime(start), candle: null };
    const shown = candle.state === "missing" ? null : candle;
    yield { time: chartTime(candle.startMs), candle: shown };
    last = candle;
  }
}

/** Final: filled. Forming: hollow. Provisional: pale, under hatching. */
export function candleBar(
  { time, candle }: Point,
  scale: number,
  colours: Colours,
): CandlestickData | WhitespaceData {
  if (candle === null) return { time };
  const colour = directionColour(candle, colours);
  return {
    time,
    open: inRupees(candle.open, scale),
    high: inRupees(candle.high, scale),
    low: inRupees(candle.low, scale),
    close: inRupees(candle.close, scale),
    color: bodyColour(candle, colour, colours),
    borderColor: colour,
    wickColor: colour,
  };
}

export function volumeBar({ time, candle }: Point, colours: Colours): HistogramData | WhitespaceData {
  if (candle === null) return { time };
  return { time, value: candle.volume, color: `${directionColour(candle, colours)}66` };
}

/** What is drawn over the candles; only the newest of them can be provisional. */
export function marksOf(candles: readonly Candle[], scale: number, minutes: number): Marks {
  return {
    hatched: hatchedBars(candles.slice(-30), scale),
    repaired: candles
      .filter((candle) => candle.state === "backfilled")
      .map(({ startMs, low }) => ({ time: chartTime(startMs), low: inRupees(low, scale) })),
    missing: missingRuns(candles, minutes),
  };
}

function hatchedBars(candles: readonly Candle[], scale: number): HatchedBar[] {
  return candles
    .filter((candle) => candle.state === "provisional")
    .map(({ startMs, open, close }) => ({
      time: chartTime(startMs),
      low: inRupees(priceUnits(Math.min(open, close)), scale),
      high: inRupees(priceUnits(Math.max(open, close)), scale),
    }));
}

function missingRuns(candles: readonly Candle[], minutes: number): MissingRun[] {
  const runs: { from: MarketMs; to: MarketMs }[] = [];
  for (const { startMs, state } of candles) {
    if (state !== "missing") continue;
    const last = runs.at(-1);
    if (last !== undefined && startMs - last.to === minutes * 60_000) last.to = startMs;
    else runs.push({ from: startMs, to: startMs });
  }
  return runs.map(({ from, to }) => ({
    from: chartTime(from),
    to: chartTime(to),
    text: `missing ${(to - from) / 60_000 + minutes} min`,
  }));
}

export function directionColour(candle: Candle, colours: Colours): string {
  return candle.close >= candle.open ? colours.up : colours.down;
}

function bodyColour(candle: Candle, colour: string, colours: Colours): string {
  if (candle.state === "forming") return colours.panel;
  return candle.state === "provisional" ? `${colour}40` : colour;
}
