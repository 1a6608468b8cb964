/** Diagonal lines over candles that are not yet checked. */

import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";

type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export interface HatchedBar {
  readonly time: Time;
  readonly low: number;
  readonly high: number;
}

const GAP = 5;

/** Draws hatching over the body of every bar it is given. */
export class Hatching implements ISeriesPrimitive<Time> {
  private parts: SeriesAttachedParameter<Time> | null = null;
  private bars: readonly HatchedBar[] = [];
  private colour = "";
  private readonly view: IPrimitivePaneView = {
    zOrder: () => "top",
    renderer: () => ({ draw: (target) => this.draw(target) }),
  };

  show(bars: readonly HatchedBar[], colour: string): void {
    const hadNone = this.bars.length === 0 && bars.length === 0;
    this.bars = bars;
    this.colour = colour;
    if (!hadNone) this.parts?.requestUpdate();
  }

  attached(parts: SeriesAttachedParameter<Time>): void {
    this.parts = parts;
  }

  detached(): void {
    this.parts = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return [this.view];
  }

  private draw(target: Target): void {
    const parts = this.parts;
    if (parts === null) return;
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      const half = (parts.chart.timeScale().options().barSpacing * 0.4 * horizontalPixelRatio) | 0;
      context.strokeStyle = this.colour;
      for (const bar of this.bars) {
        const x = parts.chart.timeScale().timeToCoordinate(bar.time);
        const top = parts.series.priceToCoordinate(bar.high);
        const bottom = parts.series.priceToCoordinate(bar.low);
        if (x === null || top === null || bottom === null) continue;
        const middle = x * horizontalPixelRatio;
        hatch(context, middle - half, top * verticalPixelRatio, 2 * half, bottom * verticalPixelRatio);
      }
    });
  }
}

function hatch(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  width: number,
  bottom: number,
): void {
  const height = Math.max(2, bottom - top);
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
