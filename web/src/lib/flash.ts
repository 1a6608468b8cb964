/** The short flash of a price that moved: at most one per 250 ms, none where motion is unwelcome. */

import type { Tone } from "./quote";

const PAUSE_MS = 250;
const FADE = { duration: 400, easing: "steps(3)" };

/** Call with the number of price changes seen; a price that may not be coloured never flashes. */
export function createFlash(
  wall: () => number,
): (cell: HTMLElement, moves: number, tone: Tone) => void {
  let seen = -1;
  let flashedAt = -Infinity;
  let shown: Tone = "none";
  let running: Animation | null = null;
  return (cell, moves, tone) => {
    const moved = seen >= 0 && moves > seen;
    seen = moves;
    if (tone !== shown) running?.cancel(); // the other direction's colour would say the opposite
    shown = tone;
    if (tone === "none") return;
    const now = wall();
    if (!moved || now - flashedAt < PAUSE_MS || prefersStillness()) return;
    flashedAt = now;
    const colour = `color-mix(in srgb, var(--${tone}) 22%, transparent)`;
    const bright = { backgroundColor: colour, color: "var(--text)" }; // the tone is too pale on its own tint
    running = cell.animate([bright, { backgroundColor: "transparent" }], FADE);
  };
}

function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
