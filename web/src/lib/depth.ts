/** The book of one instrument as a person reads it: five levels a side, best first. */

import type { DepthLevel, Freshness, InstrumentRow } from "../messages.gen";
import * as format from "./format";
import { mayColour } from "./freshness";
import { type WallMs, priceUnits } from "./messages";
import { ageWords, pricedMs } from "./quote";
import type { Store } from "./store";

export const LEVELS = 5;

/** One level of one side; `share` is its quantity as part of the largest one shown. */
export interface LevelView {
  readonly price: string;
  readonly quantity: string;
  readonly share: number;
}

/** A quantity in its short form for a narrow place, and in full. */
export interface TotalView {
  readonly short: string;
  readonly full: string;
}

export interface DepthView {
  readonly symbol: string;
  readonly state: Freshness;
  readonly age: string;
  /** Whether the bars may have the colours of buyers and sellers. */
  readonly trusted: boolean;
  /** Why there are no levels; empty when there are some. */
  readonly nothing: string;
  readonly levels: readonly { readonly bid: LevelView; readonly ask: LevelView }[];
  readonly bought: TotalView;
  readonly sold: TotalView;
}

/** The view of the selected instrument's book; null where it has none, as an index. */
export function depthView(store: Store, instrument: InstrumentRow, wall: WallMs): DepthView | null {
  if (!instrument.has_volume) return null;
  const { row, symbol } = instrument;
  const state = store.freshness(row, wall);
  const { bids, asks } = store.depth ?? { bids: [], asks: [] };
  const largest = Math.max(1, ...[...bids, ...asks].map(([, quantity]) => quantity));
  const view = (level: DepthLevel | undefined): LevelView =>
    levelView(level, instrument.price_scale, largest);
  return {
    symbol,
    state,
    age: ageWords(state, store.ageMs(row, wall), pricedMs(store, row), store.now(wall)),
    trusted: mayColour(state),
    nothing: nothing(store.depth === null || state === "unknown", bids.length + asks.length),
    levels: Array.from({ length: LEVELS }, (_, at) => ({ bid: view(bids[at]), ask: view(asks[at]) })),
    bought: total(store.depth?.total_bid_quantity),
    sold: total(store.depth?.total_ask_quantity),
  };
}

function nothing(isAwaited: boolean, levels: number): string {
  if (isAwaited) return "waiting for the book…";
  return levels === 0 ? "no book" : "";
}

function levelView(level: DepthLevel | undefined, scale: number, largest: number): LevelView {
  const [price, quantity] = level ?? [NaN, NaN];
  return {
    price: format.price(priceUnits(price), scale),
    quantity: format.count(quantity),
    share: level === undefined ? 0 : quantity / largest,
  };
}

function total(quantity: number | null | undefined): TotalView {
  const known = quantity ?? NaN;
  return { short: format.short(known), full: format.count(known) };
}
