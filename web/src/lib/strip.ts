/** The texts of the status strip. */

import type { Freshness, Phase } from "../messages.gen";
import * as format from "./format";
import { FRESH_LIMIT_MS, worst } from "./freshness";
import { type WallMs, marketMs } from "./messages";
import { closedWord } from "./quote";
import type { Store } from "./store";

export interface Item {
  /** For tests and colour: the machine's word. */
  readonly state: string;
  readonly text: string;
  readonly detail: string;
  /** The part of a repair that is done, 0 to 1. */
  readonly progress?: number;
}

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  pre_open: "pre-open",
  continuous: "market open",
  auction: "closing auction",
  post_close: "post-close",
  closed: "market closed",
  halted_by_exchange: "halted by the exchange",
  unknown: "phase unknown",
};

/** `10:42:07 IST`, the phase of the selected instrument's segment, `calendar` when only that knows. */
export function clockItem(store: Store, wall: WallMs): Item & { readonly date: string } {
  const now = store.now(wall);
  if (now === null) return { state: "unknown", text: "—", detail: "", date: "" };
  const segment = store.instrument(store.selected)?.segment ?? "";
  const known = store.status?.phases[segment];
  const phase = known?.phase ?? "unknown";
  const calendar = known?.source === "calendar" ? " (calendar)" : "";
  return {
    state: phase,
    text: format.time(now),
    detail: `${PHASE_WORDS[phase]}${calendar}`,
    date: format.longDate(now),
  };
}

/** The worst state of the watched instruments, how many are fresh, and why it is so. */
export function feedItem(store: Store, wall: WallMs): Item {
  const states = store.watched.map((one) => store.freshness(one.row, wall));
  const state = worst(states);
  const fresh = states.filter((one) => one === "fresh").length;
  const isHalted = store.watched.some((one) => closedWord(store, one) === "halted");
  const closed = isHalted ? "halted" : "closed";
  const text = state === "closed" ? closed : `${state} ${fresh}/${states.length}`;
  const words = [reason(store, state, wall) || few(store, state, states), lastGap(store)].filter((part) => part !== "");
  const progress = state === "gap" ? repaired(store) : null;
  return { state, text, detail: words.join(" · "), ...(progress === null ? {} : { progress }) };
}

/** The program's silence stands above the broker's, that above a single symbol's. */
function reason(store: Store, state: Freshness, wall: WallMs): string {
  if (store.link !== "open") return "page not connected";
  if (store.isSilent(wall)) return "no word from the program";
  const feed = store.status?.feed;
  if (feed === undefined) return "";
  if (!feed.up) return feed.reason === "" ? "link down" : feed.reason;
  if (state === "gap") return repairWords(store);
  const canary = canaryAge(store, wall);
  if (state === "closed" || Number.isNaN(canary)) return "";
  if (state !== "stale" && state !== "unknown") return `canary ${format.age(canary)}`;
  return canary > FRESH_LIMIT_MS ? `no data for ${format.age(canary)}` : "";
}

/** The feed lives, but not for everybody: `ITC silent`, `3 symbols never told`. */
function few(store: Store, state: Freshness, states: readonly Freshness[]): string {
  if (state !== "stale" && state !== "unknown") return "";
  const who = store.watched.filter((_, index) => states[index] === state).map((one) => one.symbol);
  const what = state === "stale" ? "silent" : "never told";
  return who.length === 1 ? `${who[0]} ${what}` : `${who.length} symbols ${what}`;
}

/** Age of the freshest index at this moment; NaN where none is known. */
export function canaryAge(store: Store, wall: WallMs): number {
  const { feed, now_ms } = store.status ?? {};
  const now = store.now(wall);
  if (feed === undefined || feed.canary_age_ms === null || now === null) return NaN;
  return feed.canary_age_ms + Math.max(0, now - (now_ms ?? now));
}

function repairWords(store: Store): string {
  const { symbols, total } = store.status?.health.repair ?? { symbols: [], total: 0 };
  return total === 0 ? "filling the gap" : `filling the gap: ${total - symbols.length} of ${total} done`;
}

/** The part of the present repair that is done, 0 to 1; null where none is known. */
export function repaired(store: Store): number | null {
  const { symbols, total } = store.status?.health.repair ?? { symbols: [], total: 0 };
  return total === 0 ? null : (total - symbols.length) / total;
}

/** `last gap 10:42, 35 s`; empty while there was none, or while it lasts. */
function lastGap(store: Store): string {
  const last = store.status?.health.outages.at(-1);
  if (last === undefined || last.until_ms === null) return "";
  const long = format.duration(last.until_ms - last.from_ms);
  return `last gap ${format.minute(marketMs(last.from_ms))}, ${long}`;
}

export function tokenItem(store: Store): Item {
  const token = store.status?.token;
  if (token === undefined) return { state: "unknown", text: "—", detail: "" };
  const at = token.expires_ms === null ? "" : format.minute(marketMs(token.expires_ms));
  const words = { valid: "until", expiring: "expires", expired: "expired", refused: "refused", missing: "missing" };
  const isTimed = at !== "" && token.state !== "missing" && token.state !== "refused";
  const text = isTimed ? `${words[token.state]} ${at}` : words[token.state];
  return { state: token.state, text: text === "until" ? "valid" : text, detail: "Broker login" };
}

/** The store says `history off` when nothing is kept. */
export function storeItem(store: Store): Item {
  const part = store.status?.store;
  if (part === undefined) return { state: "unknown", text: "—", detail: "" };
  const text = { on: "on", off: "history off", degraded: "degraded" }[part.state];
  return { state: part.state, text, detail: part.text };
}

export function recordingItem(store: Store): Item {
  const part = store.status?.recording;
  if (part === undefined) return { state: "unknown", text: "—", detail: "" };
  return { state: part.state, text: part.state, detail: part.text };
}
