/** The canvas chart, loaded when it is first needed: candles, volume, price lines, studies, marks. */

import {
  CandlestickSeries,
  ColorType,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type Time,
  createChart,
} from "lightweight-charts";
import {
  type Colours,
  type Point,
  candleBar,
  chartTime,
  directionColour,
  marketTime,
  marksOf,
  points,
  volumeBar,
} from "./bars";
import type { Candle } from "./candles";
import * as format from "./format";
import { StudyLayers } from "./layers";
import { CandleMarks } from "./marks";
import { type MarketMs, type PriceUnits, priceUnits } from "./messages";
import type { OverlaySeries, StudyRow } from "./overlays";
import { type PatternMark, PatternMarks } from "./patternmarks";
import type { Study } from "./studies";

/** Up to which weight of the library's axis marks a mark names a day instead of a minute. */
const DAY_MARK = 2;
const BAR_SPACING = 8;
const RIGHT_OFFSET = 8;

/** What the chart shows, and what its candles need to become rupees. */
export interface Units {
  readonly symbol: string;
  readonly scale: number;
  readonly tickSize: number;
  readonly minutes: number;
}

export class CandleChart {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volumes: ISeriesApi<"Histogram">;
  private readonly marks = new CandleMarks();
  private readonly patterns = new PatternMarks();
  private readonly layers: StudyLayers;
  private patternsShown: readonly PatternMark[] = [];
  private readonly vwap: PriceLine;
  private readonly previousClose: PriceLine;
  private units: Units = { symbol: "", scale: 100, tickSize: 5, minutes: 1 };
  private shown: Candle[] = [];
  private stale = false;
  private lastColour = "";

  /** Draw into the element; `onHover` gets the start of the candle under the pointer, or null. */
  constructor(
    private readonly element: HTMLElement,
    private colours: Colours,
    onHover: (startMs: MarketMs | null) => void,
  ) {
    this.chart = createChart(element, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 12 },
      localization: { timeFormatter: (time: Time) => momentText(marketTime(time)) },
      timeScale: {
        timeVisible: true,
        secondsVisible: false,
        rightOffset: RIGHT_OFFSET,
        tickMarkFormatter: markText,
      },
      crosshair: { mode: 0 },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: true });
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      lastValueVisible: false,
      priceLineVisible: false,
    });
    const below = { scaleMargins: { top: 0.82, bottom: 0 }, visible: false };
    this.volumes.priceScale().applyOptions(below);
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.22 } });
    this.candles.attachPrimitive(this.marks);
    this.candles.attachPrimitive(this.patterns);
    this.layers = new StudyLayers(this.chart, () => this.seen(), colours, colours.control);
    this.vwap = new PriceLine(this.candles, "VWAP");
    this.previousClose = new PriceLine(this.candles, "prev");
    this.chart.subscribeCrosshairMove(({ time }) =>
      onHover(time === undefined ? null : marketTime(time)),
    );
    this.restyle(colours);
  }

  /** Replace everything; another symbol or timeframe starts at its newest candles. */
  load(candles: readonly Candle[], units: Units): void {
    const { symbol, minutes } = this.units;
    const isSame = symbol === units.symbol && minutes === units.minutes && this.shown.length > 0;
    this.units = units;
    this.shown = [...candles];
    this.candles.applyOptions({
      priceFormat: {
        type: "custom",
        minMove: format.inRupees(priceUnits(units.tickSize), units.scale),
        formatter: (rupees: number) => format.axisPrice(rupees, units.scale),
      },
    });
    this.fill();
    if (!isSame) this.home();
  }

  /** Show the newest candles at their usual width; after a load, and once the chart is visible. */
  home(): void {
    this.chart.timeScale().applyOptions({ barSpacing: BAR_SPACING });
    this.chart.timeScale().scrollToPosition(RIGHT_OFFSET, false);
  }

  /** Add candles at the end or correct known ones, without touching the others. */
  update(candles: readonly Candle[]): void {
    for (const candle of candles) {
      const last = this.shown.at(-1);
      const at = this.shown.findLastIndex((one) => one.startMs === candle.startMs);
      if (at < 0) this.shown.push(candle);
      else this.shown[at] = candle;
      const isOld = at >= 0 && at < this.shown.length - 1;
      const before = at < 0 ? last : undefined;
      for (const point of points([candle], before, this.units.minutes)) this.draw(point, isOld);
    }
    this.finish();
  }

  /** Draw these studies, with all rows there are. */
  loadStudies(studies: readonly Study[], overlays: OverlaySeries): void {
    this.layers.load(studies, overlays, this.units.scale);
  }

  /** Draw rows that settled, and the forming one as it is now. */
  updateStudies(settled: readonly StudyRow[], forming: StudyRow | null): void {
    this.layers.update(settled, forming, this.units.scale);
  }

  /** Mark these patterns and no others. */
  showPatterns(marks: readonly PatternMark[]): void {
    this.patternsShown = marks;
    this.patterns.show(marks, this.colours);
  }

  /** Horizontal lines; NaN draws none. */
  setLevels(vwap: PriceUnits, previousClose: PriceUnits): void {
    this.vwap.move(vwap, this.units.scale);
    this.previousClose.move(previousClose, this.units.scale);
  }

  /** A stale last price keeps its place but loses the colour of its direction. */
  setStale(stale: boolean): void {
    this.stale = stale;
    this.finish();
  }

  restyle(colours: Colours): void {
    this.colours = colours;
    const { panel, muted, grid } = colours;
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: panel },
        textColor: muted,
        panes: { separatorColor: grid, separatorHoverColor: grid },
        fontFamily: getComputedStyle(this.element).fontFamily,
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      rightPriceScale: { borderColor: grid, entireTextOnly: true },
      timeScale: { borderColor: grid },
    });
    this.vwap.colour(colours.accent);
    this.previousClose.colour(muted);
    this.layers.restyle(colours, colours.control);
    this.patterns.show(this.patternsShown, colours);
    this.fill();
  }

  /** Put the crosshair on the candle, or take it away. */
  point(candle: Candle | null): void {
    if (candle === null) return this.chart.clearCrosshairPosition();
    const price = format.inRupees(candle.close, this.units.scale);
    this.chart.setCrosshairPosition(price, chartTime(candle.startMs), this.candles);
  }

  destroy(): void {
    this.chart.remove();
  }

  private fill(): void {
    const all = [...points(this.shown, undefined, this.units.minutes)];
    this.candles.setData(all.map((point) => candleBar(point, this.units.scale, this.colours)));
    this.volumes.setData(all.map((point) => volumeBar(point, this.colours)));
    this.finish();
  }

  /** The range of the candles between the edges of the chart. */
  private seen(): { low: number; high: number } | null {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range === null) return null;
    let [low, high] = [Infinity, -Infinity];
    for (let at = Math.ceil(range.from); at <= range.to; at += 1) {
      const bar = this.candles.dataByIndex(at);
      if (bar === null || !("low" in bar)) continue;
      low = Math.min(low, bar.low);
      high = Math.max(high, bar.high);
    }
    return low <= high ? { low, high } : null;
  }

  private draw(point: Point, isOld: boolean): void {
    this.candles.update(candleBar(point, this.units.scale, this.colours), isOld);
    this.volumes.update(volumeBar(point, this.colours), isOld);
  }

  /** The marks and the label of the last price, whose hollow candle would hide it. */
  private finish(): void {
    const { text, accent, stale, panel } = this.colours;
    const marks = marksOf(this.shown, this.units.scale, this.units.minutes);
    this.marks.show(marks, { text, info: accent, stale, panel });
    const last = this.shown.findLast((candle) => candle.state !== "missing");
    const direction = last === undefined ? "" : directionColour(last, this.colours);
    const colour = this.stale ? this.colours.stale : direction;
    if (colour === this.lastColour) return;
    this.lastColour = colour;
    this.candles.applyOptions({ priceLineColor: colour });
  }
}

/** A dashed horizontal line that is drawn only while its price is known. */
class PriceLine {
  private readonly line: IPriceLine;
  private at = priceUnits(NaN);

  constructor(series: ISeriesApi<"Candlestick">, title: string) {
    const hidden = { lineVisible: false, axisLabelVisible: false };
    this.line = series.createPriceLine({
      price: 0,
      title,
      lineWidth: 1,
      lineStyle: LineStyle.Dashed,
      ...hidden,
    });
  }

  move(units: PriceUnits, scale: number): void {
    if (Object.is(units, this.at)) return;
    this.at = units;
    const known = !Number.isNaN(units);
    const price = known ? format.inRupees(units, scale) : 0;
    this.line.applyOptions({ price, lineVisible: known, axisLabelVisible: known });
  }

  colour(color: string): void {
    this.line.applyOptions({ color });
  }
}

function momentText(ms: MarketMs): string {
  return `${format.date(ms)} ${format.minute(ms)}`;
}

function markText(time: Time, mark: number): string {
  const ms = marketTime(time);
  return mark <= DAY_MARK ? format.date(ms) : format.minute(ms);
}
