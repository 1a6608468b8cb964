/** Where candlestick patterns stand in the chart: an arrow of their direction, and their name. */

import type { Time } from "lightweight-charts";
import { type Parts, SeriesPrimitive, type Target } from "./primitive";

/** The patterns of one candle that foretell one direction. `low` and `high` in rupees. */
export interface PatternMark {
  readonly time: Time;
  readonly direction: -1 | 0 | 1;
  readonly text: string;
  /** Filled when at least one turns a trend that was there; else hollow. */
  readonly filled: boolean;
  readonly low: number;
  readonly high: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const SIZE = 4;
const OFFSET = 8;
const LABEL_HEIGHT = 14;
/** Narrower bars have no room for an arrow each. */
const NARROWEST = 3;

/** Which boxes can stand without touching what is taken, one before them, or leaving the frame. */
export function placed(wanted: readonly Box[], occupied: readonly Box[], width: number, height: number): boolean[] {
  const taken: Box[] = [...occupied];
  return wanted.map((box) => {
    const inside = box.left >= 0 && box.top >= 0 && box.left + box.width <= width && box.top + box.height <= height;
    const isFree = inside && taken.every((other) => !touch(box, other));
    if (isFree) taken.push(box);
    return isFree;
  });
}

const touch = (one: Box, other: Box): boolean =>
  one.left < other.left + other.width &&
  other.left < one.left + one.width &&
  one.top < other.top + other.height &&
  other.top < one.top + one.height;

export class PatternMarks extends SeriesPrimitive {
  private marks: readonly PatternMark[] = [];
  private colours = { text: "", panel: "" };

  show(marks: readonly PatternMark[], colours: { text: string; panel: string }): void {
    this.marks = marks;
    this.colours = colours;
    this.requestPaint();
  }

  protected draw(target: Target, parts: Parts): void {
    const scale = parts.chart.timeScale();
    if (scale.options().barSpacing < NARROWEST) return;
    target.useMediaCoordinateSpace(({ context, mediaSize: { width, height } }) => {
      context.font = "11px sans-serif";
      context.textBaseline = "middle";
      const seen: { mark: PatternMark; x: number; y: number; label: Box }[] = [];
      for (const mark of this.marks.toReversed()) {
        const x = scale.timeToCoordinate(mark.time);
        const edge = parts.series.priceToCoordinate(mark.direction > 0 ? mark.low : mark.high);
        if (x === null || edge === null || x < 0 || x > width) continue;
        const away = mark.direction > 0 ? OFFSET : -OFFSET;
        const y = edge + away;
        const label = context.measureText(mark.text).width + 4;
        const top = y + (mark.direction > 0 ? SIZE + 1 : -SIZE - 1 - LABEL_HEIGHT);
        seen.push({ mark, x, y, label: { left: x - label / 2, top, width: label, height: LABEL_HEIGHT } });
      }
      const arrows = seen.map(({ x, y }) => ({ left: x - SIZE, top: y - SIZE, width: 2 * SIZE, height: 2 * SIZE }));
      const fits = placed(seen.map((one) => one.label), arrows, width, height);
      seen.forEach(({ mark, x, y, label }, at) => {
        this.drawArrow(context, mark, x, y);
        if (fits[at] === true) this.drawName(context, mark.text, label);
      });
    });
  }

  private drawArrow(context: CanvasRenderingContext2D, mark: PatternMark, x: number, y: number): void {
    const tip = mark.direction > 0 ? -SIZE : SIZE;
    context.beginPath();
    context.moveTo(x, y + tip);
    context.lineTo(x + SIZE, mark.direction === 0 ? y : y - tip);
    if (mark.direction === 0) context.lineTo(x, y - tip);
    context.lineTo(x - SIZE, mark.direction === 0 ? y : y - tip);
    context.closePath();
    context.lineWidth = 1.25;
    context.strokeStyle = this.colours.text;
    context.fillStyle = mark.filled ? this.colours.text : this.colours.panel;
    context.fill();
    context.stroke();
  }

  private drawName(context: CanvasRenderingContext2D, text: string, box: Box): void {
    context.globalAlpha = 0.8;
    context.fillStyle = this.colours.panel;
    context.fillRect(box.left, box.top, box.width, box.height);
    context.globalAlpha = 1;
    context.fillStyle = this.colours.text;
    context.fillText(text, box.left + 2, box.top + box.height / 2);
  }
}
