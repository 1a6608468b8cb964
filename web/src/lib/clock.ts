/** Market time between two status messages: a value, a rate and this machine's steady clock. */

import { type MarketMs, type WallMs, marketMs } from "./messages";

export interface MarketClock {
  readonly atMs: MarketMs;
  readonly rate: number;
  readonly wall: WallMs;
}

/** Market time now; `rate` market milliseconds pass in one of ours. */
export function marketNow(clock: MarketClock, wall: WallMs): MarketMs {
  return marketMs(clock.atMs + clock.rate * (wall - clock.wall));
}

/** Age of a value in market milliseconds, never negative; NaN where the value never came. */
export function ageMs(clock: MarketClock, wall: WallMs, exchangeMs: number): number {
  return Math.max(0, marketNow(clock, wall) - exchangeMs);
}

const IST_OFFSET_MS = 19_800_000;
const DAY_MS = 86_400_000;

/** Number of the day in India; NaN where the moment is not known. */
export const istDay = (ms: number): number => Math.floor((ms + IST_OFFSET_MS) / DAY_MS);
