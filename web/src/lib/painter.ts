/** Any number of changes, one paint of each changed panel per animation frame. */

export const PANELS = ["page", "strip", "watchlist", "quote", "depth", "chart", "patterns", "log", "alerts"] as const;

export type Panel = (typeof PANELS)[number];

export type NextFrame = (draw: () => void) => void;

export interface Painter {
  /** Ask for a paint of the panels in the next frame. */
  invalidate(panels: Iterable<Panel>): void;
  /** Call `draw` whenever the panel is painted; returns the way to stop. */
  onPaint(panel: Panel, draw: () => void): () => void;
}

export function createPainter(nextFrame: NextFrame): Painter {
  const stale = new Set<Panel>();
  const draws = new Map<Panel, Set<() => void>>();
  let planned = false;

  function paint(): void {
    planned = false;
    const panels = [...stale];
    stale.clear();
    for (const panel of panels) draws.get(panel)?.forEach((draw) => draw());
  }

  return {
    invalidate(panels) {
      for (const panel of panels) stale.add(panel);
      if (planned || stale.size === 0) return;
      planned = true;
      nextFrame(paint);
    },
    onPaint(panel, draw) {
      const registered = draws.get(panel) ?? new Set();
      draws.set(panel, registered.add(draw));
      return () => void registered.delete(draw);
    },
  };
}
