/** The texts of the status strip and of the banners. */

import type { Freshness, Phase } from "../messages.gen";
import * as format from "./format";
import { worst } from "./freshness";
import { type WallMs, marketMs } from "./messages";
import type { Store } from "./store";

export interface Item {
  /** For tests and colour: the machine's word. */
  readonly state: string;
  readonly text: string;
  readonly detail: string;
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

/** The worst state of the watched instruments, how many are true right now, and why when the link is down. */
export function feedItem(store: Store, wall: WallMs): Item {
  const states = store.watched.map((one) => store.freshness(one.row, wall));
  const state = worst(states);
  const good = states.filter((one) => one === "fresh" || one === "quiet").length;
  const text = state === "closed" ? "closed" : `${state} ${good}/${states.length}`;
  return { state, text, detail: feedDetail(store, state, wall) };
}

function feedDetail(store: Store, state: Freshness, wall: WallMs): string {
  if (store.link !== "open") return "page not connected";
  if (store.isSilent(wall)) return "no word from the program";
  const feed = store.status?.feed;
  if (feed === undefined) return "";
  if (!feed.up) return feed.reason === "" ? "link down" : feed.reason;
  if (state === "closed" || feed.canary_age_ms === null) return "";
  return `canary ${format.age(feed.canary_age_ms)}`;
}

export function tokenItem(store: Store): Item {
  const token = store.status?.token;
  if (token === undefined) return { state: "unknown", text: "—", detail: "" };
  const at = token.expires_ms === null ? "" : format.minute(marketMs(token.expires_ms));
  const words = { valid: "until", expiring: "expires", expired: "expired", missing: "missing" };
  const text = token.state === "missing" || at === "" ? words[token.state] : `${words[token.state]} ${at}`;
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

export interface BannerView {
  readonly id: "lost" | "mode" | "token" | "feed" | "store" | "demo";
  readonly tone: "warning" | "info";
  readonly text: string;
}

/** What stands above the panels, most urgent first. */
export function banners(store: Store, wall: WallMs): BannerView[] {
  const found: BannerView[] = [];
  const add = (id: BannerView["id"], text: string, tone: BannerView["tone"] = "warning"): void => {
    found.push({ id, tone, text });
  };
  if (store.link === "lost" || (store.link === "connecting" && store.hello !== null)) {
    add("lost", `Connection lost: ${store.linkReason}. Every price is stale. Trying again…`);
  }
  const { hello, status } = store;
  if (hello === null || status === null) return found;
  if (store.mode !== hello.mode) {
    add("mode", `The program changed from ${hello.mode} to ${store.mode}. Reload this page.`);
  }
  if (status.token.state === "expired") add("token", tokenEnded(store, wall));
  else if (store.link === "open" && !status.feed.up) add("feed", feedDown(store, wall));
  if (status.store.state === "degraded") {
    add("store", "Prices continue from memory; history will be repaired.");
  }
  if (store.mode === "DEMO") {
    add("demo", "You are looking at the built-in demo market. Nothing here is real.", "info");
  }
  return found;
}

function tokenEnded(store: Store, wall: WallMs): string {
  const at = store.status?.token.expires_ms ?? null;
  const ended = at === null ? "" : ` at ${format.minute(marketMs(at))}`;
  const stopped = store.linkUp(wall) ? "" : ` Prices stopped at ${lastFrame(store)}.`;
  return `Broker login ended${ended}.${stopped}`;
}

function feedDown(store: Store, wall: WallMs): string {
  const frame = store.status?.feed.last_frame_ms ?? null;
  const now = store.now(wall);
  if (frame === null || now === null) return "No market data yet.";
  return `No market data for ${format.age(now - frame)}. Last good price ${lastFrame(store)}.`;
}

function lastFrame(store: Store): string {
  const frame = store.status?.feed.last_frame_ms ?? null;
  return frame === null ? "an unknown time" : format.time(marketMs(frame));
}
