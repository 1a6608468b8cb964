/** One instrument as a person reads it: every text of a watchlist row and of the quote line. */

import type { Freshness, InstrumentRow } from "../messages.gen";
import { type Flags, flagsOf } from "./flags";
import * as format from "./format";
import { mayColour } from "./freshness";
import { type MarketMs, type PriceUnits, type WallMs, marketMs, priceUnits } from "./messages";
import type { Store } from "./store";

export type Tone = "up" | "down" | "none";

export interface QuoteView {
  readonly instrument: InstrumentRow;
  readonly state: Freshness;
  readonly last: string;
  readonly arrow: "▲" | "▼" | "";
  readonly tone: Tone;
  readonly change: string;
  readonly changeUnits: string;
  readonly changeTone: Tone;
  readonly spread: string;
  readonly spreadTicks: string;
  readonly vwap: string;
  readonly vwapDistance: string;
  readonly vwapTone: Tone;
  readonly imbalance: number;
  readonly imbalanceText: string;
  readonly volume: string;
  readonly volumeFull: string;
  readonly range: string;
  readonly touch: string;
  readonly age: string;
  /** When the value was true: `23 Nov 12:15:07 IST`; empty when it never came. */
  readonly asOf: string;
  readonly flags: Flags;
  /** `no trade today, last 20 Nov`; empty where there was one, or where nobody told. */
  readonly untraded: string;
  /** Rises with every price change: what a flash reacts to. */
  readonly moves: number;
}

export function quoteView(store: Store, instrument: InstrumentRow, wall: WallMs): QuoteView {
  const { row, price_scale: scale } = instrument;
  const state = store.freshness(row, wall);
  const colour = mayColour(state);
  const table = store.table;
  const last = units(table.last_price[row]);
  const previous = units(table.previous_close[row]);
  const spread = units(table.spread[row]);
  const imbalance = value(table.imbalance[row]);
  const volume = value(table.volume[row]);
  const vwapDistance = format.percent(value(table.vwap_distance[row]));
  const change = format.percent((last - previous) / previous);
  const tone = colour ? toneOf(store.directions[row] ?? 0) : "none";
  const print = (price: PriceUnits): string => format.price(price, scale);
  return {
    instrument,
    state,
    last: print(last),
    arrow: { up: "▲", down: "▼", none: "" }[tone] as QuoteView["arrow"],
    tone,
    change,
    changeUnits: format.difference(priceUnits(last - previous), scale),
    changeTone: colour ? toneOfText(change) : "none",
    spread: print(spread),
    spreadTicks: format.ticks(spread, instrument.tick_size),
    vwap: print(units(Math.round(value(table.vwap_session[row])))),
    vwapDistance,
    vwapTone: colour ? toneOfText(vwapDistance) : "none",
    imbalance,
    imbalanceText: format.ratio(imbalance),
    volume: format.short(volume),
    volumeFull: format.count(volume),
    range: `${print(units(table.day_low[row]))} – ${print(units(table.day_high[row]))}`,
    touch: `${print(units(table.bid[row]))} / ${print(units(table.ask[row]))}`,
    age: ageText(store, instrument, wall),
    asOf: asOf(exchangeMs(store, row)),
    flags: flagsOf(store, instrument, wall),
    untraded: untraded(tradeMs(store, row), store.now(wall)),
    moves: store.moves[row] ?? 0,
  };
}

/** Views of many rows; a row whose texts cannot have changed keeps its object. */
export function createQuoteViews() {
  const kept = new Map<InstrumentRow, { key: string; view: QuoteView }>();
  return (store: Store, one: InstrumentRow, wall: WallMs): QuoteView => {
    const seconds = Math.floor(store.ageMs(one.row, wall) / 1000);
    const key = `${store.versions[one.row]} ${store.freshness(one.row, wall)} ${store.phase(one)} ${seconds}`;
    const known = kept.get(one);
    if (known?.key === key) return known.view;
    const view = quoteView(store, one, wall);
    kept.set(one, { key, view });
    return view;
  };
}

/** The age cell: `4 s`, `stale 1 min 5 s`, `closed 15:30`, `halted 11:39`, a dash. */
export function ageText(store: Store, one: InstrumentRow, wall: WallMs): string {
  const state = store.freshness(one.row, wall);
  switch (state) {
    case "fresh":
    case "quiet":
      return format.age(store.ageMs(one.row, wall));
    case "stale":
      return `stale ${format.age(store.ageMs(one.row, wall))}`;
    case "gap":
      return "filling gap";
    case "closed":
      return `${closedWord(store, one)} ${closeTime(pricedMs(store, one.row), store.now(wall))}`;
    case "unknown":
      return "—";
  }
}

/** Why a closed market is: at its hour, or because the exchange halted it. */
export const closedWord = (store: Store, one: InstrumentRow): "halted" | "closed" =>
  store.phase(one) === "halted_by_exchange" ? "halted" : "closed";

/** The moment of the price: its trade, else the message that told it. */
function pricedMs(store: Store, row: number): MarketMs {
  const traded = tradeMs(store, row);
  return Number.isNaN(traded) ? exchangeMs(store, row) : traded;
}

function untraded(tradedMs: MarketMs, nowMs: MarketMs | null): string {
  if (Number.isNaN(tradedMs) || nowMs === null) return "";
  const day = format.date(tradedMs);
  return day === format.date(nowMs) ? "" : `no trade today, last ${day}`;
}

function asOf(exchangeMs: MarketMs): string {
  if (Number.isNaN(exchangeMs)) return "";
  return `${format.date(exchangeMs)} ${format.time(exchangeMs)} IST`;
}

function closeTime(pricedMs: MarketMs, nowMs: MarketMs | null): string {
  if (Number.isNaN(pricedMs)) return "—";
  const sameDay = nowMs !== null && format.date(pricedMs) === format.date(nowMs);
  return sameDay ? format.minute(pricedMs) : format.date(pricedMs);
}

function toneOf(signed: number): Tone {
  if (signed > 0) return "up";
  return signed < 0 ? "down" : "none";
}

/** The tone of a printed difference: one that rounds to zero has none. */
function toneOfText(printed: string): Tone {
  return toneOf(Number(printed.startsWith("+")) - Number(printed.startsWith("−")));
}

const value = (cell: number | undefined): number => cell ?? NaN;
const units = (cell: number | undefined): PriceUnits => priceUnits(value(cell));
const tradeMs = (store: Store, row: number): MarketMs =>
  marketMs(value(store.table.last_trade_ms[row]));
const exchangeMs = (store: Store, row: number): MarketMs =>
  marketMs(value(store.table.exchange_ms[row]));
