/** The studies of the chart: one series each, over the candles or in a pane below. */

import {
  type AutoscaleInfo,
  type CustomSeriesOptions,
  type IChartApi,
  type ISeriesApi,
  LineStyle,
  type Time,
  type WhitespaceData,
} from "lightweight-charts";
import { chartTime } from "./bars";
import { istDay } from "./candles";
import * as format from "./format";
import { type LineColours, type LineItem, StudyView } from "./lines";
import { type MarketMs, priceUnits } from "./messages";
import type { OverlaySeries, StudyRow } from "./overlays";
import { type Study, type Unit, studyText } from "./studies";

/** Lowest and highest price of the candles seen; null when there are none. */
export type SeenRange = () => { readonly low: number; readonly high: number } | null;

type Line = ISeriesApi<"Custom", Time, LineItem | WhitespaceData<Time>, CustomSeriesOptions>;

interface Layer {
  readonly study: Study;
  readonly view: StudyView;
  readonly line: Line;
  readonly places: readonly number[];
  readonly sidePlace: number;
  last: StudyRow | null;
}

/** Lines over the candles may widen the price axis by so much of the candles' own range. */
const MOST_WIDENED = 0.35;
const PANE_SHARE = 0.28;

export class StudyLayers {
  private layers: Layer[] = [];
  private shownForming: StudyRow | null = null;
  /** Start of the newest candle that anything was drawn for. */
  private reachedMs = -Infinity;

  constructor(
    private readonly chart: IChartApi,
    private readonly seen: SeenRange,
    private colours: LineColours,
    private guide: string,
  ) {}

  /** Draw these studies and no others, with all rows there are. */
  load(studies: readonly Study[], overlays: OverlaySeries, scale: number): void {
    for (const layer of this.layers) this.chart.removeSeries(layer.line);
    let pane = 0;
    this.layers = studies.map((study) => this.add(study, overlays, scale, study.place === "pane" ? ++pane : 0));
    this.share();
    const rows = overlays.rows();
    for (const layer of this.layers) {
      layer.line.setData(rows.map((row, at) => itemOf(layer, row, rows[at - 1] ?? null, scale)));
      layer.last = rows.at(-1) ?? null;
    }
    this.shownForming = null;
    this.reachedMs = rows.at(-1)?.startMs ?? -Infinity;
    this.update([], overlays.forming, scale);
  }

  /** Draw settled rows that came, and the forming one as it is now. */
  update(settled: readonly StudyRow[], forming: StudyRow | null, scale: number): void {
    const before = this.shownForming;
    this.shownForming = forming;
    for (const row of settled) {
      this.draw(row.startMs, (layer) => itemOf(layer, row, layer.last, scale));
      for (const layer of this.layers) layer.last = row;
    }
    if (before === forming) return;
    const isSettled = before !== null && settled.some((row) => row.startMs === before.startMs);
    if (before !== null && before.startMs !== forming?.startMs && !isSettled) {
      this.draw(before.startMs, () => ({ time: chartTime(before.startMs) }));
    }
    if (forming !== null) this.draw(forming.startMs, (layer) => itemOf(layer, forming, layer.last, scale));
  }

  /** The library refuses what is older than the newest, unless it is told so. */
  private draw(startMs: MarketMs, make: (layer: Layer) => LineItem | WhitespaceData<Time>): void {
    for (const layer of this.layers) layer.line.update(make(layer), startMs < this.reachedMs);
    this.reachedMs = Math.max(this.reachedMs, startMs);
  }

  restyle(colours: LineColours, guide: string): void {
    this.colours = colours;
    this.guide = guide;
    for (const { view, line, study } of this.layers) {
      view.colours = colours;
      line.applyOptions({ color: axisColour(study, colours) });
      for (const level of line.priceLines()) level.applyOptions({ color: guide });
    }
  }

  private add(study: Study, overlays: OverlaySeries, scale: number, pane: number): Layer {
    const view = new StudyView(study, this.colours);
    const own = pane > 0;
    const line: Line = this.chart.addCustomSeries<LineItem, CustomSeriesOptions>(
      view,
      {
        color: axisColour(study, this.colours),
        lastValueVisible: own,
        priceFormat: priceFormat(study, scale),
        autoscaleInfoProvider: (original: () => AutoscaleInfo | null) =>
          own ? spanned(original(), study.span) : this.within(original()),
      },
      pane,
    );
    for (const price of study.guides ?? []) {
      const named = { axisLabelVisible: false, title: "" };
      line.createPriceLine({ price, color: this.guide, lineWidth: 1, lineStyle: LineStyle.Dashed, ...named });
    }
    if (own) line.priceScale().applyOptions({ scaleMargins: { top: 0.22, bottom: 0.1 } });
    const placeOf = (name: string): number => overlays.names.indexOf(name);
    return {
      study,
      view,
      line,
      places: study.outputs.map((output) => placeOf(output.name)),
      sidePlace: study.side === undefined ? -1 : placeOf(study.side),
      last: null,
    };
  }

  /** Panes below are as high as each other, and lower than that of the candles. */
  private share(): void {
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at === 0 ? 1 : PANE_SHARE));
  }

  /** What the lines span, but not so wide that the candles become flat. */
  private within(info: AutoscaleInfo | null): AutoscaleInfo | null {
    const seen = this.seen();
    if (info === null || info.priceRange === null || seen === null) return info;
    const most = (seen.high - seen.low) * MOST_WIDENED;
    const minValue = Math.max(info.priceRange.minValue, seen.low - most);
    const maxValue = Math.min(info.priceRange.maxValue, seen.high + most);
    return minValue <= maxValue ? { ...info, priceRange: { minValue, maxValue } } : null;
  }
}

/** The row as the study draws it after the row before. */
function itemOf(
  { study, places, sidePlace }: Layer,
  row: StudyRow,
  before: StudyRow | null,
  scale: number,
): LineItem | WhitespaceData<Time> {
  const time = chartTime(row.startMs);
  const values = places.map((place) => plotted(row.values[place] ?? NaN, study.unit, scale));
  if (values.every(Number.isNaN)) return { time };
  const turns = sidePlace >= 0 && before?.values[sidePlace] !== row.values[sidePlace];
  const isNewDay = study.daily === true && before !== null && istDay(before.startMs) !== istDay(row.startMs);
  const flat = study.outputs.map((output) => row.degenerate.includes(output.name));
  return { time, values, begins: turns || isNewDay, forming: row.forming, flat };
}

const plotted = (value: number, unit: Unit, scale: number): number =>
  unit === "price" ? format.inRupees(priceUnits(value), scale) : value;

function axisColour(study: Study, colours: LineColours): string {
  const first = study.outputs.find((output) => output.bars !== true);
  return colours.inks[first?.ink ?? "a"];
}

/** How the axis writes a value; beyond what the study can be it writes none. */
function priceFormat({ unit, span }: Study, scale: number): CustomSeriesOptions["priceFormat"] {
  const formatter = (value: number): string => {
    if (span !== undefined && (value < span[0] || value > span[1])) return "";
    return unit === "price" ? format.axisPrice(value, scale) : studyText(value, unit, scale);
  };
  return { type: "custom", minMove: unit === "price" ? 1 / 10 ** format.digits(scale) : 0.01, formatter };
}

function spanned(info: AutoscaleInfo | null, span: Study["span"]): AutoscaleInfo | null {
  if (span === undefined) return info;
  return { ...info, priceRange: { minValue: span[0], maxValue: span[1] } };
}
