/** Single keys and what they do; none acts while a text field has the focus. */

export type Command =
  | { readonly kind: "move"; readonly by: 1 | -1 }
  | { readonly kind: "neighbour"; readonly by: 1 | -1 }
  | { readonly kind: "timeframe"; readonly index: number }
  | { readonly kind: "chart" }
  | { readonly kind: "columns" }
  | { readonly kind: "patterns" }
  | { readonly kind: "depth" }
  | { readonly kind: "leave" }
  | { readonly kind: "search" }
  | { readonly kind: "remove" }
  | { readonly kind: "undo" }
  | { readonly kind: "indicators" }
  | { readonly kind: "vwap" }
  | { readonly kind: "alert" }
  | { readonly kind: "quiet" }
  | { readonly kind: "health" }
  | { readonly kind: "help" };

/** For the help dialog, in its order. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["↑ ↓ or k j", "move in the watchlist"],
  ["Enter", "show the row in the chart"],
  ["/", "add an instrument to the watchlist"],
  ["Delete", "take the row off the watchlist; u puts it back"],
  ["[ ]", "previous, next symbol"],
  ["1 – 6", "timeframe 1, 3, 5, 10, 15, 60 minutes"],
  ["c", "focus the chart; ← → then walk its candles"],
  ["i", "indicators and patterns of the chart"],
  ["v", "VWAP and its bands on or off"],
  ["a", "set an alert at the price of the symbol; see and quieten the others"],
  ["m", "mute the sounds for 15 minutes, and again"],
  ["d", "depth of the book: show or hide the ladder"],
  ["p", "patterns of the day, of all symbols"],
  ["o", "columns of the watchlist and their order"],
  ["h", "feed health: is the data true, and why not"],
  ["Esc", "leave the row, the candle, the dialog"],
  ["?", "this help"],
];

const MOVES: Readonly<Record<string, Command>> = {
  ArrowDown: { kind: "move", by: 1 },
  j: { kind: "move", by: 1 },
  ArrowUp: { kind: "move", by: -1 },
  k: { kind: "move", by: -1 },
  "]": { kind: "neighbour", by: 1 },
  "[": { kind: "neighbour", by: -1 },
  c: { kind: "chart" },
  "/": { kind: "search" },
  Delete: { kind: "remove" },
  u: { kind: "undo" },
  i: { kind: "indicators" },
  v: { kind: "vwap" },
  a: { kind: "alert" },
  m: { kind: "quiet" },
  d: { kind: "depth" },
  p: { kind: "patterns" },
  o: { kind: "columns" },
  h: { kind: "health" },
  "?": { kind: "help" },
  Escape: { kind: "leave" },
};

export function commandOf(event: KeyboardEvent): Command | null {
  if (event.ctrlKey || event.metaKey || event.altKey || takesText(event.target)) return null;
  if (document.querySelector("dialog[open]") !== null) return null; // it has its own Escape
  if (/^[1-9]$/.test(event.key)) return { kind: "timeframe", index: Number(event.key) - 1 };
  return Object.hasOwn(MOVES, event.key) ? (MOVES[event.key] ?? null) : null;
}

function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest("input, textarea, select, [data-scrolls]") !== null;
}
