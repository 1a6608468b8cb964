/** Keeps the chart equal to the store: everything once, then only what changed. */

import { type Colours } from "./bars";
import type { Candle } from "./candles";
import { type Choice, chosenStudies } from "./choice";
import { mayColour } from "./freshness";
import { type MarketMs, type WallMs, priceUnits } from "./messages";
import type { Chart } from "./page";
import { patternMarks } from "./patternwords";
import type { Store } from "./store";

/** The theme's colours, read from the style sheet. */
export function themeColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    up: of("up"),
    down: of("down"),
    text: of("text"),
    muted: of("muted"),
    grid: of("line"),
    panel: of("panel"),
    accent: of("info"),
    stale: of("stale"),
    control: of("control"),
    inks: { a: of("ink-a"), b: of("ink-b"), c: of("ink-c"), d: of("ink-d"), e: of("ink-e") },
  };
}

export class ChartDriver {
  /** Whether the last price of the chart may carry its colour. */
  trusted = true;
  /** Start of the candle under the pointer or reached by keys; null when there is none. */
  pointed: MarketMs | null = null;
  private drawn = -1;
  /** What the studies and the marks were drawn from. */
  private drawnStudies = "";
  private drawnPatterns = "";

  constructor(
    private readonly chart: Chart,
    private readonly store: Store,
    private readonly choice: () => Choice,
  ) {}

  /** Draw what changed since the last call. */
  draw(wall: WallMs): void {
    const { store, chart } = this;
    const instrument = store.instrument(store.selected);
    if (instrument === null) return;
    this.drawCandles(instrument.price_scale, instrument.tick_size);
    this.drawStudies();
    this.drawPatterns(instrument.price_scale);
    const isDrawn = this.choice().studies.has("vwap");
    const vwap = isDrawn ? NaN : Math.round(store.table.vwap_session[instrument.row] ?? NaN);
    const previousClose = store.table.previous_close[instrument.row] ?? NaN;
    chart.setLevels(priceUnits(vwap), priceUnits(previousClose));
    const trusted = mayColour(store.freshness(instrument.row, wall));
    if (trusted !== this.trusted) chart.setStale(!trusted);
    this.trusted = trusted;
  }

  /** The candle pointed at, as it is now. */
  candle(): Candle | null {
    return this.store.series.candles.find((one) => one.startMs === this.pointed) ?? null;
  }

  /** Step along the candles, from the newest when none is pointed at; 0 lets go. */
  walk(by: -1 | 0 | 1): void {
    const { candles } = this.store.series;
    const known = candles.findIndex((one) => one.startMs === this.pointed);
    const from = known < 0 ? candles.length : known;
    const candle = by === 0 ? undefined : candles[Math.min(Math.max(0, from + by), candles.length - 1)];
    this.chart.point(candle ?? null);
    this.pointed = candle?.startMs ?? null;
  }

  private drawStudies(): void {
    const { overlays } = this.store;
    const studies = chosenStudies(this.choice()).filter(({ outputs }) =>
      outputs.every((output) => overlays.names.includes(output.name)),
    );
    const changed = overlays.takeChanged();
    const now = [this.drawn, overlays.generation, ...studies.map((study) => study.id)].join(" ");
    if (now === this.drawnStudies) return this.chart.updateStudies(changed, overlays.forming);
    this.drawnStudies = now;
    this.chart.loadStudies(studies, overlays);
  }

  private drawPatterns(scale: number): void {
    const { overlays, series, minutes } = this.store;
    const { patterns } = this.choice();
    const now = `${this.drawn} ${overlays.patternGeneration} ${patterns}`;
    if (now === this.drawnPatterns) return;
    this.drawnPatterns = now;
    const candles = new Map(series.candles.map((candle) => [candle.startMs, candle]));
    const candleOf = (startMs: MarketMs): Candle | null => candles.get(startMs) ?? null;
    this.chart.showPatterns(patternMarks(overlays.allPatterns(), candleOf, patterns, minutes, scale));
  }

  private drawCandles(scale: number, tickSize: number): void {
    const { series, minutes, selected } = this.store;
    const changed = series.takeChanged();
    if (series.generation === this.drawn) return this.chart.update(changed);
    this.chart.load(series.candles, { symbol: selected ?? "", scale, tickSize, minutes });
    this.drawn = series.generation;
    this.pointed = null;
  }
}
