/** The book of one instrument as a ladder: sellers above, buyers below, the spread between. */

import type { Depth, DepthLevel, Freshness, InstrumentRow } from "../messages.gen";
import * as format from "./format";
import { mayColour } from "./freshness";
import { type WallMs, priceUnits } from "./messages";
import { ageText } from "./quote";
import type { Store } from "./store";

const LEVELS = 5;

/** One rung; `share` is the quantity from the best price to here as part of the larger side's. */
export interface Rung {
  readonly side: "bid" | "ask";
  readonly price: string;
  readonly quantity: string;
  /** Quantity up to here: `1,250 up to here`. */
  readonly upToHere: string;
  readonly share: number;
  /** Whether the last trade was at this price. */
  readonly isLast: boolean;
}

/** A quantity in its short form for a narrow place, and in full. */
export interface Total {
  readonly short: string;
  readonly full: string;
}

export interface Balance {
  readonly name: string;
  readonly value: number;
  readonly text: string;
}

export interface Ladder {
  readonly symbol: string;
  readonly state: Freshness;
  readonly age: string;
  /** `5 levels` or `30 levels`. */
  readonly depth: string;
  /** Whether the bars may have the colours of buyers and sellers. */
  readonly trusted: boolean;
  /** Why there are no levels; empty when there are some. */
  readonly nothing: string;
  /** The dearest first. */
  readonly asks: readonly Rung[];
  /** The dearest first. */
  readonly bids: readonly Rung[];
  /** Between them: `spread 0.05 · 1 t`, and the last price where no level has it. */
  readonly between: string;
  readonly last: string;
  readonly balances: readonly Balance[];
  readonly bought: Total;
  readonly sold: Total;
}

const NO_BOOK: Omit<Depth, "symbol"> = {
  bids: [],
  asks: [],
  has_thirty: false,
  total_bid_quantity: null,
  total_ask_quantity: null,
  imbalance_1: null,
  imbalance: null,
  imbalance_w: null,
  auction: null,
};

/** The ladder of the selected instrument; null where it has no book, as an index. */
export function ladderOf(store: Store, instrument: InstrumentRow, wall: WallMs): Ladder | null {
  if (!instrument.has_volume) return null;
  const { row, symbol, price_scale: scale } = instrument;
  const state = store.freshness(row, wall);
  const book = store.depth ?? NO_BOOK;
  const last = store.table.last_price[row] ?? NaN;
  const largest = Math.max(1, sum(book.bids), sum(book.asks));
  const rungs = (side: "bid" | "ask"): Rung[] => rungsOf(book[`${side}s`], side, scale, largest, last);
  const isShown = [...book.bids, ...book.asks].some(([price]) => price === last);
  return {
    symbol,
    state,
    age: ageText(store, instrument, wall),
    depth: book.has_thirty ? "30 levels" : `${LEVELS} levels`,
    trusted: mayColour(state),
    nothing: nothing(store.depth === null || state === "unknown", book.bids.length + book.asks.length),
    asks: rungs("ask").reverse(),
    bids: rungs("bid"),
    between: between(book, instrument),
    last: isShown ? "" : format.price(priceUnits(last), scale),
    balances: [
      balance("best level", book.imbalance_1),
      balance("5 levels", book.imbalance),
      balance("weighted", book.imbalance_w),
    ],
    bought: total(book.total_bid_quantity),
    sold: total(book.total_ask_quantity),
  };
}

const sum = (levels: readonly DepthLevel[]): number => levels.reduce((all, [, quantity]) => all + quantity, 0);

/** At least five rungs a side, so that the ladder stands still when a level is empty. */
function rungsOf(
  levels: readonly DepthLevel[],
  side: "bid" | "ask",
  scale: number,
  largest: number,
  last: number,
): Rung[] {
  let whole = 0;
  return Array.from({ length: Math.max(LEVELS, levels.length) }, (_, at) => {
    const [price, quantity] = levels[at] ?? [NaN, NaN];
    whole += quantity;
    return {
      side,
      price: format.price(priceUnits(price), scale),
      quantity: format.count(quantity),
      upToHere: `${format.count(whole)} up to here`,
      share: Number.isNaN(quantity) ? 0 : whole / largest,
      isLast: price === last,
    };
  });
}

function between({ bids, asks }: Omit<Depth, "symbol">, { price_scale, tick_size }: InstrumentRow): string {
  const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]];
  if (bid === undefined) return "no buyers";
  if (ask === undefined) return "no sellers";
  const spread = priceUnits(ask - bid);
  if (spread <= 0) return "crossed";
  return `spread ${format.price(spread, price_scale)} · ${format.ticks(spread, tick_size)} t`;
}

function balance(name: string, value: number | null): Balance {
  return { name, value: value ?? NaN, text: format.ratio(value ?? NaN) };
}

function nothing(isAwaited: boolean, levels: number): string {
  if (isAwaited) return "waiting for the book…";
  return levels === 0 ? "no book" : "";
}

function total(quantity: number | null): Total {
  const known = quantity ?? NaN;
  return { short: format.short(known), full: format.count(known) };
}
