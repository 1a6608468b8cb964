/** This machine's steady clock, which also runs while the machine sleeps. */

import { type WallMs, wallMs } from "./messages";

/** The date running so much ahead of the steady clock means sleep; less is a clock being set right. */
const SLEPT_MS = 1_000;

/**
 * Milliseconds that never go back. Some browsers stop their steady clock while the computer
 * sleeps, so a longer step of the date counts instead.
 */
export function createWall(steady: () => number, date: () => number): () => WallMs {
  let now = 0;
  let atSteady = steady();
  let atDate = date();
  return () => {
    const stepped = steady() - atSteady;
    const dated = date() - atDate;
    atSteady += stepped;
    atDate += dated;
    now += dated > stepped + SLEPT_MS ? dated : Math.max(0, stepped);
    return wallMs(now);
  };
}
