/** Freshness as the page may show it: what the server said, aged here, never made fresher. */

import type { Freshness } from "../messages.gen";

export const FRESH_LIMIT_MS = 5_000;
const QUIET_LIMIT_MS = 60_000;

/**
 * First match wins: unknown, link not up, then what the server said.
 * A fresh value that grows old without word from the server turns quiet, then stale.
 */
export function shownFreshness(told: Freshness, ageMs: number, linkUp: boolean): Freshness {
  if (told === "unknown") return "unknown";
  if (!linkUp) return "stale";
  if (told !== "fresh" || ageMs <= FRESH_LIMIT_MS) return told;
  return ageMs <= QUIET_LIMIT_MS ? "quiet" : "stale";
}

/** Whether a price in this state may carry the colour of its direction. */
export function mayColour(state: Freshness): boolean {
  return state === "fresh" || state === "quiet" || state === "closed";
}

const WORST_FIRST: readonly Freshness[] = ["stale", "gap", "unknown", "quiet", "fresh", "closed"];

/** The worst of the states; `unknown` when there are none. */
export function worst(states: Iterable<Freshness>): Freshness {
  const seen = new Set(states);
  return WORST_FIRST.find((state) => seen.has(state)) ?? "unknown";
}
