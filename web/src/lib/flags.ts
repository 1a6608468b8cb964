/** The flags of one instrument in plain words: liquidity and volatility. */

import type { InstrumentRow, Liquidity, Volatility } from "../messages.gen";
import { mayColour } from "./freshness";
import type { WallMs } from "./messages";
import type { Store } from "./store";

/** How much a flag asks for care: nothing, some, much; `none` is not known. */
export type Care = "calm" | "careful" | "grave" | "none";

export interface Flag {
  /** `Thin`, `High vol`. */
  readonly word: string;
  readonly care: Care;
  /** What it means for an order. */
  readonly meaning: string;
  /** Whether it was judged against what is usual at this time of day. */
  readonly hasBaseline: boolean;
}

export const GROUNDS = { true: "against its usual at this time", false: "no baseline yet" } as const;

export interface Flags {
  readonly liquidity: Flag | null;
  readonly volatility: Flag | null;
}

type Words = readonly [word: string, care: Care, meaning: string];

const LIQUIDITY: Readonly<Record<Liquidity, Words>> = {
  LIQUID: ["Liquid", "calm", "your order fills near the best price"],
  THIN: ["Thin", "careful", "an order moves the price"],
  ILLIQUID: ["Illiquid", "grave", "getting out may cost much"],
  NO_QUOTE: ["No quote", "grave", "no valid bid and ask"],
};

const VOLATILITY: Readonly<Record<Volatility, Words>> = {
  LOW: ["Low vol", "calm", "moves less than usual now"],
  NORMAL: ["Normal vol", "calm", "moves as usual now"],
  HIGH: ["High vol", "careful", "moves clearly more than usual now"],
  EXTREME: ["Extreme vol", "grave", "moves three times as much as usual, or is near its price band"],
  UNKNOWN: ["Vol not known", "none", "too little measured"],
};

/** The flags of a row; none where the server told none, or where nobody can vouch for them. */
export function flagsOf(store: Store, { row }: InstrumentRow, wall: WallMs): Flags {
  if (!mayColour(store.freshness(row, wall))) return { liquidity: null, volatility: null };
  const { hello, table } = store;
  const liquidity = hello?.liquidity[table.liquidity[row] ?? NaN];
  const volatility = hello?.volatility[table.volatility[row] ?? NaN];
  return {
    liquidity: liquidity === undefined ? null : flag(LIQUIDITY[liquidity], table.liquidity_baseline[row]),
    volatility: volatility === undefined ? null : flag(VOLATILITY[volatility], table.volatility_baseline[row]),
  };
}

function flag([word, care, meaning]: Words, baseline: number | undefined): Flag {
  return { word, care, meaning, hasBaseline: baseline === 1 };
}

/** For sorting, the easiest first: liquidity, then volatility; NaN where no liquidity is told. */
export function flagOrder(store: Store, { row }: InstrumentRow): number {
  const volatility = store.table.volatility[row] ?? NaN;
  const last = (store.hello?.volatility.length ?? 0) + 1;
  return (store.table.liquidity[row] ?? NaN) * last + (Number.isNaN(volatility) ? last - 1 : volatility);
}
