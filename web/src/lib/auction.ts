/** What a running auction would come to, in the texts of the quote. */

import type { Auction, InstrumentRow } from "../messages.gen";
import * as format from "./format";
import { priceUnits } from "./messages";
import type { Store } from "./store";

/** Name and text of each fact; none outside an auction. */
export function auctionFacts(store: Store, instrument: InstrumentRow): (readonly [string, string])[] {
  const told = store.depth?.auction ?? null;
  const phase = store.phase(instrument);
  if (told === null || (phase !== "pre_open" && phase !== "auction")) return [];
  const price = (units: number | null): string => format.price(priceUnits(units ?? NaN), instrument.price_scale);
  return [
    ["Auction would be at", price(told.price)],
    ["Auction quantity", format.count(told.quantity ?? NaN)],
    ["Left over", leftOver(told)],
    ["Reference price", price(told.reference_price)],
  ];
}

/** `3,400 to buy, 1,000 at any price`. */
function leftOver({ left_over: all, left_over_at_market: free }: Auction): string {
  if (all === null || all === 0) return format.count(all ?? NaN);
  if (free === null || free === 0) return sided(all);
  const isOther = all > 0 !== free > 0;
  return `${sided(all)}, ${isOther ? sided(free) : format.count(Math.abs(free))} at any price`;
}

const sided = (left: number): string => `${format.count(Math.abs(left))} ${left > 0 ? "to buy" : "to sell"}`;
