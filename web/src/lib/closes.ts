/** The last one-minute closes of every symbol, and the small line drawn of them. */

import type { CloseRow, Closes } from "../messages.gen";

const KEPT = 30;
const MINUTE_MS = 60_000;

/** Start of the minute, and its close in price units; NaN where the minute was lost. */
export interface Close {
  readonly startMs: number;
  readonly close: number;
}

const NONE: readonly Close[] = [];

export class CloseBook {
  private readonly closes = new Map<string, readonly Close[]>();

  /** The newest closes, oldest first; the same array until one changes. */
  of(symbol: string): readonly Close[] {
    return this.closes.get(symbol) ?? NONE;
  }

  take(told: Closes): void {
    if (told.is_all) this.closes.clear();
    told.closes.forEach((row) => this.put(row));
  }

  private put([symbol, startMs, close]: CloseRow): void {
    const others = this.of(symbol).filter((one) => one.startMs !== startMs);
    const sorted = [...others, { startMs, close: close ?? NaN }].sort((a, b) => a.startMs - b.startMs);
    this.closes.set(symbol, sorted.slice(-KEPT));
  }
}

/** Change over the closes that are known, first to last, as a fraction; NaN with fewer than two. */
export function drift(closes: readonly Close[]): number {
  const known = closes.filter((one) => !Number.isNaN(one.close));
  const [first, last] = [known[0], known.at(-1)];
  return first === undefined || last === undefined || first === last ? NaN : last.close / first.close - 1;
}

/**
 * An SVG path of the closes in a box of that size; empty with fewer than two known.
 * Where a minute is missing the line breaks, also over night: it never joins what nobody traded.
 */
export function sparkPath(closes: readonly Close[], width: number, height: number): string {
  const known = closes.filter((one) => !Number.isNaN(one.close));
  if (known.length < 2) return "";
  const lowest = Math.min(...known.map((one) => one.close));
  const range = Math.max(...known.map((one) => one.close)) - lowest;
  const x = (place: number): string => ((place * width) / (KEPT - 1)).toFixed(1);
  const y = (close: number): string =>
    (range === 0 ? height / 2 : height - ((close - lowest) / range) * height).toFixed(1);
  const from = KEPT - closes.length;
  return closes
    .map((one, at) => {
      if (Number.isNaN(one.close)) return "";
      const before = closes[at - 1];
      const follows = before !== undefined && one.startMs - before.startMs === MINUTE_MS;
      const joined = follows && !Number.isNaN(before.close);
      return `${joined ? "L" : "M"}${x(from + at)} ${y(one.close)}${joined ? "" : "h0"}`;
    })
    .join("");
}
