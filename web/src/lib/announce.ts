/** What the polite live region says: the newest words, at most once per five seconds. */

import type { WallMs } from "./messages";

const PAUSE_MS = 5_000;

/** Returns the words to speak now, or null; words in between are dropped for the newest. */
export function createAnnouncer(): (words: string, wall: WallMs) => string | null {
  let spoken = "";
  let spokenAt = -Infinity;
  return (words, wall) => {
    if (words === spoken || wall - spokenAt < PAUSE_MS) return null;
    spoken = words;
    spokenAt = wall;
    return words;
  };
}
