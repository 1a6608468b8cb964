/** What the polite live region says: news, then the newest words, at most once per five seconds. */

import type { WallMs } from "./messages";

const PAUSE_MS = 5_000;

/**
 * Returns what to speak now, or null; words in between are dropped for the newest. News is said
 * whenever there is some, words only when they are others than before.
 */
export function createAnnouncer(): (words: string, wall: WallMs, news?: string) => string | null {
  let spoken = "";
  let spokenAt = -Infinity;
  return (words, wall, news = "") => {
    const others = words === spoken ? "" : words;
    if (others + news === "" || wall - spokenAt < PAUSE_MS) return null;
    spoken = words;
    spokenAt = wall;
    return [news, others].filter((part) => part !== "").join(" ");
  };
}
