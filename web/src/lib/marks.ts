/** What is drawn over the candles: hatching where not yet checked, a wrench where repaired, a band where missing. */

import type { Time } from "lightweight-charts";
import { type Parts, SeriesPrimitive, type Target } from "./primitive";

/** A body in rupees. */
export interface HatchedBar {
  readonly time: Time;
  readonly low: number;
  readonly high: number;
}

/** A repaired candle; the wrench stands below `low`, in rupees. */
export interface RepairedBar {
  readonly time: Time;
  readonly low: number;
}

/** Neighbouring candles that nobody has; `text` says so where there is room. */
export interface MissingRun {
  readonly from: Time;
  readonly to: Time;
  readonly text: string;
}

export interface Marks {
  readonly hatched: readonly HatchedBar[];
  readonly repaired: readonly RepairedBar[];
  readonly missing: readonly MissingRun[];
}

export interface MarkColours {
  readonly text: string;
  readonly info: string;
  readonly stale: string;
  readonly panel: string;
}

const GAP = 5;
const WRENCH = 9;
/** Narrower bars have no room for a wrench each. */
const NARROWEST = 4;
/** Room for the words of a missing run. */
const WORDS_WIDTH = 64;

/** Draws the marks of every candle it is given. */
export class CandleMarks extends SeriesPrimitive {
  private marks: Marks = { hatched: [], repaired: [], missing: [] };
  private colours: MarkColours = { text: "", info: "", stale: "", panel: "" };

  show(marks: Marks, colours: MarkColours): void {
    const isEmpty = (one: Marks): boolean =>
      one.hatched.length + one.repaired.length + one.missing.length === 0;
    const hadNone = isEmpty(this.marks) && isEmpty(marks);
    this.marks = marks;
    this.colours = colours;
    if (!hadNone) this.requestPaint();
  }

  protected draw(target: Target, parts: Parts): void {
    const scale = parts.chart.timeScale();
    const spacing = scale.options().barSpacing;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.lineWidth = 1;
      for (const run of this.marks.missing) {
        const left = scale.timeToCoordinate(run.from);
        const right = scale.timeToCoordinate(run.to);
        if (left === null || right === null) continue;
        const box = { left: left - spacing / 2, top: 0, width: right - left + spacing, height: mediaSize.height };
        drawMissing(context, box, run.text, this.colours);
      }
      context.strokeStyle = this.colours.text;
      for (const bar of this.marks.hatched) {
        const x = scale.timeToCoordinate(bar.time);
        const top = parts.series.priceToCoordinate(bar.high);
        const bottom = parts.series.priceToCoordinate(bar.low);
        if (x === null || top === null || bottom === null) continue;
        const half = spacing * 0.4;
        hatch(context, { left: x - half, top, width: 2 * half, height: Math.max(2, bottom - top) });
      }
      if (spacing < NARROWEST) return;
      context.strokeStyle = this.colours.info;
      for (const bar of this.marks.repaired) {
        const x = scale.timeToCoordinate(bar.time);
        const low = parts.series.priceToCoordinate(bar.low);
        if (x !== null && low !== null) drawWrench(context, x, low + 4);
      }
    });
  }
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function hatch(context: CanvasRenderingContext2D, { left, top, width, height }: Box): void {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  for (let at = -height; at < width; at += GAP) {
    context.moveTo(left + at, top + height);
    context.lineTo(left + at + height, top);
  }
  context.stroke();
  context.restore();
}

function drawMissing(context: CanvasRenderingContext2D, box: Box, text: string, colours: MarkColours): void {
  context.save();
  context.strokeStyle = colours.stale;
  context.globalAlpha = 0.35;
  hatch(context, box);
  context.globalAlpha = 1;
  context.font = "11px sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  const words = box.width >= WORDS_WIDTH ? text : "×";
  const width = context.measureText(words).width + 8;
  const middle = box.left + box.width / 2;
  context.fillStyle = colours.panel;
  context.fillRect(middle - width / 2, 4, width, 16);
  context.fillStyle = colours.stale;
  context.fillText(words, middle, 12);
  context.restore();
}

/** The wrench of the page's `Wrench`, its top at `top`. */
function drawWrench(context: CanvasRenderingContext2D, middle: number, top: number): void {
  const at = WRENCH / 12;
  context.save();
  context.translate(middle - WRENCH / 2, top);
  context.lineWidth = 1.4;
  context.beginPath();
  context.moveTo(2 * at, 10 * at);
  context.lineTo(6.2 * at, 5.8 * at);
  context.stroke();
  context.beginPath();
  context.arc(8.4 * at, 3.6 * at, 2.6 * at, -0.3, Math.PI * 1.55);
  context.stroke();
  context.restore();
}
