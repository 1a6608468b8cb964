/** The health panel's words and figures: what the connection does, and what that means. */

import type { Health, Pulse, ServicesState, Status } from "../messages.gen";
import * as format from "./format";
import { type WallMs, marketMs } from "./messages";
import type { Store } from "./store";
import { canaryAge } from "./strip";
import { milliseconds } from "./timeline";

/** One figure; `raw` is what the status holds, for tests and programs. */
export interface Fact {
  readonly name: string;
  readonly label: string;
  readonly text: string;
  readonly raw: string;
  readonly warns: boolean;
}

export interface OutageView {
  readonly fromMs: number;
  readonly at: string;
  readonly cause: string;
  readonly word: string;
  readonly sentence: string;
  readonly lasted: string;
}

export interface LimitView {
  readonly name: string;
  readonly left: number | null;
  readonly text: string;
  readonly waiting: number;
}

const CAUSES: Readonly<Record<string, string>> = {
  closed: "connection closed",
  silent: "no data",
  damaged: "damaged data",
  refused: "refused",
  login: "login ended",
  taken: "used elsewhere",
  resumed: "computer slept",
  asked: "asked for",
};

const REJECTIONS: Readonly<Record<string, string>> = {
  unreadable: "Frames that cannot be read",
  unknown: "Instruments nobody asked for",
  impossible: "Values no market can have",
  ahead: "Told ahead of time",
  other_day: "Of another day",
  older: "Older than what is known",
  trade_ahead: "Trades after their own message",
  band: "Prices outside the day's band",
  jump: "Jumps nobody confirmed",
};

const SHOWN_OFFSET_MS = 500;
const WRONG_OFFSET_MS = 2_000;

const fact = (name: string, label: string, text: string, raw: unknown, warns = false): Fact => ({
  name,
  label,
  text,
  raw: raw === null || raw === undefined ? "" : String(raw),
  warns,
});

const counted = (name: string, label: string, value: number | null, warns = false): Fact =>
  fact(name, label, format.count(value ?? NaN), value, warns && (value ?? 0) > 0);

/** `connected since 10:42:07 (12 min 3 s)`, or why not. */
export function linkFacts(store: Store, wall: WallMs): Fact[] {
  const { status } = store;
  if (status === null) return [];
  const { feed, health } = status;
  const now = store.now(wall) ?? marketMs(status.now_ms);
  const since = feed.since_ms;
  const long = since === null ? "" : `, for ${format.age(now - since)}`;
  const word = feed.up ? "connected" : (CAUSES[feed.cause] ?? "not connected");
  const at = since === null ? "—" : `${format.time(marketMs(since))}${long}`;
  const facts = [
    fact("up", "Link to the broker", word, feed.up, !feed.up),
    fact("reason", "Reason", feed.reason === "" ? "—" : feed.reason, feed.reason),
    fact("since_ms", "Since", at, since),
    fact("fresh", "Fresh symbols", `${feed.fresh} of ${feed.total}`, `${feed.fresh}/${feed.total}`),
    fact("canary_age_ms", "Age of the freshest index", format.age(canaryAge(store, wall)), feed.canary_age_ms),
  ];
  const next = health.next_attempt_s;
  if (next !== null) facts.push(fact("next_attempt_s", "Next try", `in ${format.age(next * 1000)}`, next));
  return facts;
}

export function latencyFacts({ health }: Status): Fact[] {
  const { pulse } = health;
  const of = (name: keyof Pulse, label: string): Fact => fact(name, label, milliseconds(pulse[name]), pulse[name]);
  return [
    of("feed_median_ms", "Feed lag, median"),
    of("feed_worst_ms", "Feed lag, worst"),
    of("ping_ms", "Ping of the feed"),
    of("rest_ms", "REST read"),
    of("loop_ms", "Own tasks late by"),
    clockFact(health.clock_offset_ms),
  ];
}

function clockFact(offset: number | null): Fact {
  const size = Math.abs(offset ?? NaN);
  const side = (offset ?? 0) > 0 ? "ahead of" : "behind";
  const words = size > SHOWN_OFFSET_MS ? `${milliseconds(size)} ${side} the exchange` : "right";
  const text = size > WRONG_OFFSET_MS ? `${words}: set it` : words;
  return fact("clock_offset_ms", "This computer's clock", offset === null ? "—" : text, offset, size > WRONG_OFFSET_MS);
}

export function repairFacts({ health }: Status): Fact[] {
  const { repair } = health;
  const names = repair.symbols.length === 0 ? "none" : repair.symbols.join(", ");
  return [
    fact("repair_symbols", "Symbols waiting", names, repair.symbols.join(" ")),
    counted("minutes_open", "Minutes open", repair.minutes_open),
    counted("minutes_backfilled", "Minutes rebuilt", repair.minutes_backfilled),
    counted("minutes_missing", "Minutes missing for good", repair.minutes_missing, true),
  ];
}

export function checkFacts({ health }: Status): Fact[] {
  const rejected = Object.entries(health.rejected).map(([reason, count]) =>
    counted(`rejected_${reason}`, REJECTIONS[reason] ?? spelled(reason), count, true),
  );
  const unheard = health.unheard.length === 0 ? "none" : health.unheard.join(", ");
  return [
    ...rejected,
    counted("repeats", "Updates that came twice", health.repeats),
    counted("corrections", "Candles corrected", health.corrections),
    fact("unheard", "Asked for, never told", unheard, health.unheard.join(" "), health.unheard.length > 0),
  ];
}

export function partFacts({ store, recording, token }: Status, services: ServicesState | null): Fact[] {
  const until = token.expires_ms === null ? "" : ` until ${format.minute(marketMs(token.expires_ms))}`;
  return [
    fact("store", "Redis", store.text, store.state, store.state === "degraded"),
    fact("recording", "Recording", recording.text, recording.state, recording.state === "degraded"),
    ...(services === null || services.state === "off"
      ? []
      : [fact("services", "Alert services", services.text, services.state, services.state === "degraded")]),
    fact("token", "Broker login", `${token.state}${until}`, token.state, token.state !== "valid"),
  ];
}

/** Newest first. */
export function outageViews({ outages }: Health, nowMs: number): OutageView[] {
  return outages.toReversed().map(({ from_ms, until_ms, cause, reason }) => ({
    fromMs: from_ms,
    at: `${format.date(marketMs(from_ms))} ${format.time(marketMs(from_ms))}`,
    cause,
    word: CAUSES[cause] ?? spelled(cause),
    sentence: reason,
    lasted:
      until_ms === null ? `${format.age(nowMs - from_ms)}, still` : format.duration(until_ms - from_ms),
  }));
}

export function limitViews({ rest_left, rest_waiting }: Health): LimitView[] {
  const names = [...new Set([...Object.keys(rest_left), ...Object.keys(rest_waiting)])];
  return names.map((name) => {
    const left = rest_left[name] ?? null;
    const share = left === null ? "—" : `${Math.round(left * 100)} % left`;
    const waiting = rest_waiting[name] ?? 0;
    return { name: spelled(name), left, text: `${share}${waiting > 0 ? `, ${waiting} waiting` : ""}`, waiting };
  });
}

function spelled(name: string): string {
  return name.replaceAll("_", " ");
}
