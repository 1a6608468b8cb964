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
