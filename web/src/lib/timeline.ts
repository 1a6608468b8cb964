/** The last minutes of latency as lines of an SVG: logarithmic, broken where nothing was measured. */

import type { Outage, Pulse } from "../messages.gen";
import * as format from "./format";
import { marketMs } from "./messages";

export interface Line {
  readonly name: string;
  readonly label: string;
  /** An SVG path; empty where nothing was measured. */
  readonly path: string;
}

export interface Mark {
  readonly at: number;
  readonly text: string;
}

/** A stretch without the link, from `left`, in pixels. */
export interface Band {
  readonly left: number;
  readonly width: number;
  readonly cause: string;
}

export interface TimelineView {
  readonly lines: readonly Line[];
  readonly bands: readonly Band[];
  readonly times: readonly Mark[];
  readonly levels: readonly Mark[];
  /** For who does not see it. */
  readonly summary: string;
}

interface Box {
  readonly width: number;
  readonly height: number;
}

const LOWEST_MS = 1;
const HIGHEST_MS = 10_000;
const SHORTEST_MS = 60_000;
/** A second without a pulse is a hole, not a slope. */
const HOLE_SECONDS = 2.5;

const SERIES: readonly (readonly [keyof Pulse, string, string])[] = [
  ["feed_worst_ms", "worst", "feed lag, worst"],
  ["feed_median_ms", "median", "feed lag, median"],
  ["ping_ms", "ping", "ping"],
  ["rest_ms", "rest", "REST"],
];

/** The view in a box of pixels; `rate` market seconds pass in a real one. */
export function timeline(
  pulses: readonly Pulse[],
  outages: readonly Outage[],
  rate: number,
  box: Box,
): TimelineView {
  const last = pulses.at(-1)?.at_ms ?? 0;
  const first = Math.min(pulses[0]?.at_ms ?? 0, last - SHORTEST_MS);
  const x = (ms: number): number => round(((ms - first) / (last - first)) * box.width);
  const y = (ms: number): number => round(box.height * (1 - height(ms)));
  const hole = HOLE_SECONDS * 1_000 * Math.max(1, rate);
  return {
    lines: SERIES.map(([field, name, label]) => ({ name, label, path: path(pulses, field, x, y, hole) })),
    bands: outages.flatMap((one) => band(one, first, last, x)),
    times: pulses.length === 0 ? [] : times(first, last, x),
    levels: [1, 10, 100, 1_000, 10_000].map((ms) => ({ at: y(ms), text: milliseconds(ms) })),
    summary: summary(pulses),
  };
}

/** `3.2 ms`, `120 ms`, `1.5 s`; a dash where nothing was measured. */
export function milliseconds(ms: number | null): string {
  if (ms === null) return "—";
  const size = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (size >= 1_000) return `${sign}${Math.round(size / 100) / 10} s`;
  return `${sign}${size < 10 ? Math.round(size * 10) / 10 : Math.round(size)} ms`;
}

function height(ms: number): number {
  const inside = Math.min(HIGHEST_MS, Math.max(LOWEST_MS, ms));
  return Math.log10(inside / LOWEST_MS) / Math.log10(HIGHEST_MS / LOWEST_MS);
}

function path(
  pulses: readonly Pulse[],
  field: keyof Pulse,
  x: (ms: number) => number,
  y: (ms: number) => number,
  hole: number,
): string {
  let text = "";
  let before = -Infinity;
  for (const pulse of pulses) {
    const value = pulse[field];
    if (value === null) {
      before = -Infinity;
      continue;
    }
    text += `${pulse.at_ms - before > hole ? "M" : "L"}${x(pulse.at_ms)} ${y(value)}`;
    before = pulse.at_ms;
  }
  return text;
}

function band(outage: Outage, first: number, last: number, x: (ms: number) => number): Band[] {
  const left = x(Math.max(first, outage.from_ms));
  const right = x(Math.min(last, outage.until_ms ?? last));
  if ((outage.until_ms ?? last) < first || outage.from_ms > last) return [];
  return [{ left, width: Math.max(2, right - left), cause: outage.cause }];
}

/** Start, middle and end. */
function times(first: number, last: number, x: (ms: number) => number): Mark[] {
  return [first, (first + last) / 2, last].map((ms) => ({ at: x(ms), text: format.time(marketMs(ms)) }));
}

function summary(pulses: readonly Pulse[]): string {
  const known = pulses.flatMap((one) => (one.feed_worst_ms === null ? [] : [one.feed_worst_ms]));
  if (known.length === 0) return "Latency: nothing measured yet";
  const newest = pulses.findLast((one) => one.feed_median_ms !== null)?.feed_median_ms ?? null;
  const worst = milliseconds(Math.max(...known));
  return `Latency of the last minutes: feed lag now ${milliseconds(newest)}, at worst ${worst}`;
}

const round = (pixels: number): number => Math.round(pixels * 10) / 10;
