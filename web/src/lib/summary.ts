/** The chart in one sentence, for who does not see it. */

import type { InstrumentRow } from "../messages.gen";
import * as format from "./format";
import { type WallMs, priceUnits } from "./messages";
import { patternSide, plainName } from "./patternwords";
import { quoteView } from "./quote";
import type { Store } from "./store";

/** `RELIANCE, 5 minute candles: last 1,234.50 (fresh), +1.25% since ...`. */
function chartSummary(store: Store, instrument: InstrumentRow, wall: WallMs): string {
  const view = quoteView(store, instrument, wall);
  const distance = store.table.vwap_distance[instrument.row] ?? NaN;
  const parts = [
    `last ${view.last} (${view.state})`,
    `${view.change} since the previous close`,
    `day range ${view.range}`,
    Number.isNaN(distance) ? "day's VWAP not known" : vwapWords(distance),
    `${store.series.candles.length} candles`,
    ...patternsOf(store),
  ];
  return `${instrument.symbol}, ${store.minutes} minute candles: ${parts.join(", ")}`;
}

function vwapWords(distance: number): string {
  const size = format.percent(Math.abs(distance)).replace("+", "");
  if (!/[1-9]/.test(size)) return "at the day's VWAP";
  return `${size} ${distance > 0 ? "above" : "below"} the day's VWAP`;
}

/** What the candle that settled last is called, if anything. */
function patternsOf({ series, overlays }: Store): string[] {
  const settled = series.candles.findLast(({ state }) => state === "final" || state === "backfilled");
  const found = settled === undefined ? [] : overlays.patterns(settled.startMs);
  const names = found.map((one) => `${patternSide(one)} ${plainName(one)}`);
  return names.length === 0 ? [] : [`the last closed candle is a ${names.join(", ")}`];
}

const PAUSE_MS = 2_000;

/** The summary that follows the prices slowly, but a switch of symbol or timeframe at once. */
export function createSummary(): (store: Store, wall: WallMs) => string {
  let summary = "";
  let shown = "";
  let madeAt = -Infinity;
  return (store, wall) => {
    const now = `${store.selected} ${store.series.generation}`;
    const instrument = store.instrument(store.selected);
    if (instrument === null || (now === shown && wall - madeAt < PAUSE_MS)) return summary;
    shown = now;
    madeAt = wall;
    summary = chartSummary(store, instrument, wall);
    return summary;
  };
}

const LATE_MS = 5_000;

/** What stands where the candles should be; `late` when waiting for them takes too long. */
export function emptyText(store: Store, wall: WallMs): { text: string; late: boolean } | null {
  if (store.series.candles.length > 0) return null;
  const what = `${store.minutes} minute candles of ${store.selected ?? "the first instrument"}`;
  const isAwaited = store.awaitingCandles || store.hello === null;
  if (!isAwaited) return { text: `No ${what} yet.`, late: false };
  const waited = wall - store.askedAt;
  const late = waited > LATE_MS && store.link === "open";
  const since = late ? ` They have not come for ${format.age(waited)}.` : "";
  return { text: `Waiting for the ${what}…${since}`, late };
}

/** The last close as a plain number of rupees, empty when there is none. */
export function lastClose(store: Store, instrument: InstrumentRow): string {
  return format.plain(store.series.last?.close ?? priceUnits(NaN), instrument.price_scale);
}
