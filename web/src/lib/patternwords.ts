/** Candlestick patterns in words, and which of them the chart marks. */

import { chartTime } from "./bars";
import type { Candle } from "./candles";
import type { PatternChoice } from "./choice";
import * as format from "./format";
import type { PatternMark } from "./patternmarks";
import { type Pattern, type PatternRecord, timeframeName } from "./patterns";

const ARROWS = ["▼", "◆", "▲"] as const;
const SIDES = ["bearish", "undecided", "bullish"] as const;

/** `hammer`, `three black crows`: within a sentence. */
export const plainName = (pattern: Pattern): string => pattern.name.replaceAll("_", " ");
export const patternArrow = ({ direction }: Pattern): string => ARROWS[1 + Math.sign(direction)] ?? "";
export const patternSide = ({ direction }: Pattern): string => SIDES[1 + Math.sign(direction)] ?? "";

/** Whether the chart shows it; `context` are reversals that had a trend to turn. */
export function isShown(pattern: Pattern, choice: PatternChoice): boolean {
  return choice === "all" || (choice === "context" && pattern.inContext === true);
}

/** `bullish, in context, strict, confirmed`: what was claimed and what came of it. */
export function verdictText(pattern: Pattern): string {
  if (pattern.direction === 0) return "foretells no direction";
  const parts = [patternSide(pattern)];
  if (pattern.inContext !== null) parts.push(pattern.inContext ? "in context" : "no trend to turn");
  if (pattern.strict !== null) parts.push(pattern.strict ? "strict" : "not strict");
  parts.push(confirmedText(pattern.confirmed));
  return parts.join(", ");
}

function confirmedText(confirmed: boolean | null): string {
  if (confirmed === null) return "not yet confirmed";
  return confirmed ? "confirmed" : "not confirmed";
}

/** The pattern's own past on this symbol and timeframe, ten candles later. */
export function recordText({ cases, rate, low, high, baseRate }: PatternRecord): string {
  if (rate === null || low === null || high === null || baseRate === null) {
    return `not enough history (${cases} ${cases === 1 ? "case" : "cases"})`;
  }
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const span = `95 % interval ${percent(low)} to ${percent(high)}`;
  return `right ${Math.round(rate * cases)} of ${cases} times, ${span}, base rate ${percent(baseRate)}`;
}

/** `bullish, in context, strict, confirmed; right 12 of 31 times, ...; fails beyond 1,391.70`. */
export function storyText(pattern: Pattern, scale: number): string {
  if (pattern.direction === 0) return verdictText(pattern);
  const fails = `fails beyond ${format.price(pattern.invalidation, scale)}`;
  return [verdictText(pattern), recordText(pattern.record), fails].join("; ");
}

/** The marks of these patterns: one for each candle and direction. */
export function patternMarks(
  found: readonly (readonly Pattern[])[],
  candleOf: (startMs: Pattern["startMs"]) => Candle | null,
  choice: PatternChoice,
  minutes: number,
  scale: number,
): PatternMark[] {
  return found.flatMap((patterns) => {
    const first = patterns[0];
    const candle = first === undefined ? null : candleOf(first.startMs);
    if (candle === null || candle.state === "missing") return [];
    const shown = patterns.filter((pattern) => isShown(pattern, choice));
    const { startMs, low, high } = candle;
    const span = { low: format.inRupees(low, scale), high: format.inRupees(high, scale) };
    return ([1, 0, -1] as const).flatMap((direction) => {
      const same = shown.filter((pattern) => pattern.direction === direction);
      const named = same[0];
      if (named === undefined) return [];
      const more = same.length > 1 ? ` +${same.length - 1}` : "";
      const text = `${plainName(named)}${more} (${timeframeName(minutes)})`;
      const filled = same.some((pattern) => pattern.inContext === true);
      return [{ time: chartTime(startMs), direction, text, filled, ...span }];
    });
  });
}
