/** Something drawn over a series of the chart: what the library wants of every such thing. */

import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";

export type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];
export type Parts = SeriesAttachedParameter<Time>;

export abstract class SeriesPrimitive implements ISeriesPrimitive<Time> {
  private parts: Parts | null = null;
  private readonly view: IPrimitivePaneView = {
    zOrder: () => "top",
    renderer: () => ({ draw: (target) => this.parts !== null && this.draw(target, this.parts) }),
  };

  attached(parts: Parts): void {
    this.parts = parts;
  }

  detached(): void {
    this.parts = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return [this.view];
  }

  protected requestPaint(): void {
    this.parts?.requestUpdate();
  }

  protected abstract draw(target: Target, parts: Parts): void;
}
