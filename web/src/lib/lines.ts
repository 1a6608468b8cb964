/** One study as a series of the chart library: lines with gaps, bars, what forms dashed. */

import type {
  CustomData,
  CustomSeriesOptions,
  ICustomSeriesPaneRenderer,
  ICustomSeriesPaneView,
  PaneRendererCustomData,
  PriceToCoordinateConverter,
  Time,
  WhitespaceData,
} from "lightweight-charts";
import { customSeriesDefaultOptions } from "lightweight-charts";
import { DASHES, type Ink, type Output, type Study } from "./studies";

/** The values of one candle, in the order of the study's outputs; NaN is not ready. */
export interface LineItem extends CustomData<Time> {
  readonly values: readonly number[];
  /** The line does not go on from the candle before: another day, another side. */
  readonly begins: boolean;
  readonly forming: boolean;
  /** Which outputs had a flat window: neutral, and saying nothing. */
  readonly flat: readonly boolean[];
}

export interface LineColours {
  readonly inks: Readonly<Record<Ink, string>>;
  readonly stale: string;
  readonly muted: string;
  readonly panel: string;
}

type Target = Parameters<ICustomSeriesPaneRenderer["draw"]>[0];
type Seen = Pick<PaneRendererCustomData<Time, LineItem>, "bars" | "visibleRange" | "barSpacing">;
type Bars = Seen["bars"];

export type Style = "settled" | "forming" | "flat";

/** A stretch of a line without a gap, in one style. */
export interface Stretch {
  readonly style: Style;
  readonly points: readonly (readonly [x: number, value: number])[];
}

const FORMING_DASH = [2, 3];
const DOT = 1.5;

/** Cut one output's line wherever a candle, a value or the continuation is missing. */
export function stretches(bars: Bars, at: number): Stretch[] {
  const found: { style: Style; points: [number, number][] }[] = [];
  let last: { time: number; x: number; value: number } | null = null;
  for (const { x, time, originalData: item } of bars) {
    const value = item.values[at] ?? NaN;
    if (Number.isNaN(value)) {
      last = null;
      continue;
    }
    const style: Style = item.forming ? "forming" : item.flat[at] === true ? "flat" : "settled";
    const before = last !== null && time - last.time === 1 && !item.begins ? last : null;
    const open = found.at(-1);
    if (before === null) found.push({ style, points: [[x, value]] });
    else if (open?.style === style) open.points.push([x, value]);
    else found.push({ style, points: [[before.x, before.value], [x, value]] });
    last = { time, x, value };
  }
  return found;
}

/** Draws a study; the chart library asks it for its range and calls it at each paint. */
export class StudyView implements ICustomSeriesPaneView<Time, LineItem, CustomSeriesOptions> {
  private data: PaneRendererCustomData<Time, LineItem> | null = null;
  private readonly drawing: ICustomSeriesPaneRenderer = {
    draw: (target, toY) => this.draw(target, toY),
  };

  constructor(
    private readonly study: Study,
    public colours: LineColours,
  ) {}

  renderer(): ICustomSeriesPaneRenderer {
    return this.drawing;
  }

  update(data: PaneRendererCustomData<Time, LineItem>): void {
    this.data = data;
  }

  /** Lowest, highest, and the one that the axis names: the first line's. */
  priceValueBuilder({ values }: LineItem): number[] {
    const known = values.filter((value) => !Number.isNaN(value));
    const lines = this.study.outputs.findIndex((output) => output.bars !== true);
    return [Math.min(...known), Math.max(...known), values[lines] ?? NaN];
  }

  isWhitespace(item: LineItem | WhitespaceData<Time>): item is WhitespaceData<Time> {
    return !("values" in item) || item.values.every(Number.isNaN);
  }

  defaultOptions(): CustomSeriesOptions {
    return { ...customSeriesDefaultOptions, lastValueVisible: false, priceLineVisible: false };
  }

  private draw(target: Target, toY: PriceToCoordinateConverter): void {
    const { data, study } = this;
    if (data === null) return;
    const bars = visible(data);
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.lineJoin = "round";
      study.outputs.forEach((output, at) => {
        if (output.bars === true) this.drawBars(context, bars, at, output, data.barSpacing, toY);
        else for (const one of stretches(bars, at)) this.drawLine(context, one, output, toY);
      });
      if (study.place === "pane") this.drawTitle(context);
      this.nameGuides(context, mediaSize.width, toY);
    });
  }

  private drawLine(
    context: CanvasRenderingContext2D,
    { style, points }: Stretch,
    output: Output,
    toY: PriceToCoordinateConverter,
  ): void {
    const { inks, stale } = this.colours;
    const at = points.map(([x, value]) => [x, toY(value)] as const);
    context.strokeStyle = context.fillStyle = style === "flat" ? stale : inks[output.ink];
    context.lineWidth = style === "forming" ? 1 : (output.width ?? 1.25);
    context.setLineDash(style === "settled" ? [...DASHES[output.dash ?? "solid"]] : FORMING_DASH);
    context.beginPath();
    at.forEach(([x, y]) => y !== null && context.lineTo(x, y));
    context.stroke();
    context.setLineDash([]);
    const only = at.length === 1 ? at[0]?.[1] : null;
    if (only === null || only === undefined) return;
    context.beginPath();
    context.arc(at[0]?.[0] ?? 0, only, DOT, 0, 2 * Math.PI);
    context.fill();
  }

  /** Bars from zero: filled where settled, hollow where they form. */
  private drawBars(
    context: CanvasRenderingContext2D,
    bars: Bars,
    at: number,
    output: Output,
    spacing: number,
    toY: PriceToCoordinateConverter,
  ): void {
    const zero = toY(0);
    if (zero === null) return;
    const width = Math.max(1, spacing * 0.6);
    context.strokeStyle = context.fillStyle = this.colours.inks[output.ink];
    context.lineWidth = 1;
    for (const { x, originalData: item } of bars) {
      const value = item.values[at] ?? NaN;
      const y = Number.isNaN(value) ? null : toY(value);
      if (y === null) continue;
      const [top, height] = [Math.min(y, zero), Math.max(1, Math.abs(y - zero))];
      if (item.forming) context.strokeRect(x - width / 2, top, width, height);
      else context.fillRect(x - width / 2, top, width, height);
    }
  }

  /** The numbers of the levels, at their right end. */
  private nameGuides(context: CanvasRenderingContext2D, right: number, toY: PriceToCoordinateConverter): void {
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.fillStyle = this.colours.muted;
    for (const level of this.study.guides ?? []) {
      const y = toY(level);
      if (y !== null) context.fillText(String(level), right - 3, y - 6);
    }
    context.textAlign = "left";
  }

  private drawTitle(context: CanvasRenderingContext2D): void {
    const { label, outputs } = this.study;
    context.font = "11px sans-serif";
    context.textBaseline = "top";
    let x = 6;
    const write = (text: string, colour: string): void => {
      const width = context.measureText(text).width;
      context.fillStyle = this.colours.panel;
      context.fillRect(x - 2, 3, width + 4, 14);
      context.fillStyle = colour;
      context.fillText(text, x, 5);
      x += width + 8;
    };
    write(label, this.colours.muted);
    for (const output of outputs) {
      if (output.label !== "") write(output.label, this.colours.inks[output.ink]);
    }
  }
}

/**
 * The bars to draw: those seen, and their neighbours to which the lines lead. The library keeps
 * the places only of those it sees; a neighbour has none, or that of an earlier view.
 */
export function visible({ bars, visibleRange, barSpacing }: Seen): Bars {
  const seen = visibleRange === null ? undefined : bars[visibleRange.from];
  if (visibleRange === null || seen === undefined) return [];
  return bars
    .slice(Math.max(0, visibleRange.from - 1), visibleRange.to + 1)
    .map((bar) => ({ ...bar, x: seen.x + (bar.time - seen.time) * barSpacing }));
}
