/** Reading the messages of the socket, and the brands that keep keys and times apart. */

import type { Envelope } from "../messages.gen";

export type { Envelope };

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** What people call an instrument: `RELIANCE`. */
export type SymbolName = Branded<string, "SymbolName">;
/** Milliseconds since the Unix epoch on the market's clock. */
export type MarketMs = Branded<number, "MarketMs">;
/** Milliseconds of this machine's own steady clock (`performance.now`). */
export type WallMs = Branded<number, "WallMs">;
/** A price as an integer in the instrument's price unit; NaN where it is not known. */
export type PriceUnits = Branded<number, "PriceUnits">;

export const symbolName = (text: string): SymbolName => text as SymbolName;
export const marketMs = (value: number): MarketMs => value as MarketMs;
export const wallMs = (value: number): WallMs => value as WallMs;
export const priceUnits = (value: number): PriceUnits => value as PriceUnits;

const KNOWN: Record<Envelope["type"], true> = {
  hello: true,
  instruments: true,
  status: true,
  beat: true,
  candles: true,
  candle: true,
  forming: true,
  series: true,
  reading: true,
  depth: true,
  notice: true,
  freshness: true,
  phase: true,
  feed: true,
  closes: true,
  readings: true,
  patterns: true,
  pattern: true,
  alert: true,
  alert_cleared: true,
  alerts_seen: true,
  alert_rules: true,
};

/** A message of the server, or the sequence number of one whose type this page does not know. */
export type Parsed = { known: true; envelope: Envelope } | { known: false; seq: number };

/** Read one text message. Throws SyntaxError when it is not JSON. */
export function parse(text: string): Parsed {
  const envelope = JSON.parse(text) as { type: string; seq: number };
  return Object.hasOwn(KNOWN, envelope.type)
    ? { known: true, envelope: envelope as Envelope }
    : { known: false, seq: envelope.seq };
}
