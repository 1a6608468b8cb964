/** What stands above the panels, most urgent first: what happened, and what the user can do. */

import * as format from "./format";
import { type WallMs, marketMs } from "./messages";
import type { Store } from "./store";

/** What a banner offers; `retry` opens the page's own connection anew. */
export type Offer = "reconnect" | "take_over" | "details" | "retry";

export interface BannerView {
  readonly id: "waiting" | "lost" | "mode" | "token" | "taken" | "feed" | "store" | "demo";
  readonly tone: "warning" | "info";
  readonly text: string;
  readonly offers: readonly Offer[];
}

const WAIT_MS = 5_000;

/** The banners of this moment; `startedAt` is when the page began to connect. */
export function banners(store: Store, wall: WallMs, startedAt: WallMs): BannerView[] {
  const found: BannerView[] = [];
  const add = (id: BannerView["id"], text: string, ...offers: Offer[]): void => {
    found.push({ id, tone: id === "demo" ? "info" : "warning", text, offers });
  };
  const { hello, status } = store;
  if (store.link === "lost" || (store.link === "connecting" && hello !== null)) {
    add("lost", `Connection lost: ${store.linkReason}. Every price is stale. Trying again…`, "retry");
  } else if (store.link === "connecting" && wall - startedAt > WAIT_MS) {
    const waited = format.age(wall - startedAt);
    add("waiting", `Waiting for the program: no answer for ${waited}. Does it still run?`, "retry");
  }
  if (hello === null || status === null) return found;
  if (store.mode !== hello.mode) {
    add("mode", `The program changed from ${hello.mode} to ${store.mode}. Reload this page.`);
  }
  addFeed(store, wall, add);
  if (status.store.state === "degraded") {
    add("store", "Prices continue from memory; history will be repaired.", "details");
  }
  if (store.mode === "DEMO") {
    add("demo", "You are looking at the built-in demo market. Nothing here is real.");
  }
  return found;
}

type Add = (id: BannerView["id"], text: string, ...offers: Offer[]) => void;

/** Why there are no prices: the most telling of the reasons, alone. */
function addFeed(store: Store, wall: WallMs, add: Add): void {
  const { status } = store;
  if (status === null) return;
  const stopped = store.linkUp(wall) ? "" : ` Prices stopped at ${lastFrame(store)}.`;
  if (status.token.state === "expired") {
    const at = status.token.expires_ms;
    const ended = at === null ? "" : ` at ${format.minute(marketMs(at))}`;
    return add("token", `Broker login ended${ended}.${stopped} Log in again: ticktick login.`, "details");
  }
  if (status.token.state === "refused") {
    const why = "The broker does not take the login any more: it was ended, or another program logged in.";
    return add("token", `${why}${stopped} Log in again: ticktick login.`, "details");
  }
  if (store.link !== "open" || store.isSilent(wall)) return;
  if (status.health.can_take_over || (!status.feed.up && status.feed.cause === "taken")) {
    const what = "Another program seems to use the feed of this login.";
    const rule = "Tick-Tick waits, so that the two do not throw each other out.";
    return add("taken", `${what}${stopped} ${rule}`, "take_over", "details");
  }
  if (!status.feed.up || isAllStale(store, wall)) add("feed", feedDown(store, wall), "reconnect", "details");
}

/** Whether nothing of the list is true although the link is up: pings alone are no prices. */
function isAllStale(store: Store, wall: WallMs): boolean {
  const { watched } = store;
  return watched.length > 0 && watched.every((one) => store.freshness(one.row, wall) === "stale");
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
