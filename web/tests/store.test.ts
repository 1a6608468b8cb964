import { describe, expect, it } from "vitest";
import type { CandleRow } from "../src/messages.gen";
import { symbolName, wallMs } from "../src/lib/messages";
import { Store } from "../src/lib/store";
import { FRESHNESS, HEALTH, TEN, encodeBlock, envelopes, hello, instrument, rowValues, status } from "./makers";

const wall = wallMs(0);

function openStore() {
  const store = new Store();
  const from = envelopes();
  store.receive(from.make("hello", hello([instrument(0), instrument(1)])), wall);
  store.receiveBlock(encodeBlock([[0, rowValues()], [1, rowValues()]], from.next()));
  return { store, from };
}

const candle = (minute: number, close: number, over: Partial<Record<number, unknown>> = {}): CandleRow =>
  Object.assign([TEN + minute * 60_000, 100, 110, 90, close, 5, "final", true, 0], over) as unknown as CandleRow;

describe("the store", () => {
  it("knows nothing before the first block", () => {
    const store = new Store();
    store.receive(envelopes().make("hello", hello([instrument(0)])), wall);
    expect(store.freshness(0, wall)).toBe("unknown");
    expect(store.ageMs(0, wall)).toBeNaN();
  });
  it("shows everything stale at once when the connection is lost, and not before", () => {
    const { store } = openStore();
    expect(store.freshness(0, wall)).toBe("fresh");
    store.setLink("lost", "the connection closed");
    expect([store.freshness(0, wall), store.freshness(1, wall)]).toEqual(["stale", "stale"]);
  });
  it("shows everything stale when the program lost its broker", () => {
    const { store, from } = openStore();
    store.receive(from.make("feed", { up: false, reason: "silent", cause: "silent" }), wall);
    expect(store.freshness(1, wall)).toBe("stale");
    expect(store.status?.feed.reason).toBe("silent");
  });
  it("shows everything stale within a second of the program's silence", () => {
    const { store, from } = openStore();
    expect(store.freshness(0, wallMs(900))).toBe("fresh");
    expect(store.freshness(0, wallMs(1_000))).toBe("stale");
    store.heardAt = wallMs(1_000);
    store.receive(from.make("beat", {}), wallMs(1_000));
    expect(store.freshness(0, wallMs(1_000))).toBe("fresh");
  });
  it("takes a change of one symbol's freshness", () => {
    const { store, from } = openStore();
    store.receive(from.make("freshness", { symbol: "SYM1", freshness: "gap" }), wall);
    expect([store.freshness(0, wall), store.freshness(1, wall)]).toEqual(["fresh", "gap"]);
  });
  it("remembers the direction of the last change of price through equal prices", () => {
    const { store, from } = openStore();
    const price = (last_price: number) =>
      store.receiveBlock(encodeBlock([[0, rowValues({ last_price })]], from.next()));
    const before = store.moves[0] ?? 0;
    price(123_445);
    price(123_445);
    expect([store.directions[0], (store.moves[0] ?? 0) - before]).toEqual([-1, 1]);
    price(123_460);
    expect(store.directions[0]).toBe(1);
  });
  it("keeps rows, chart and choice when the list changes", () => {
    const { store, from } = openStore();
    store.show(symbolName("SYM1"), 5);
    const clock = from.make("candles", { symbol: "SYM1", minutes: 5, candles: [candle(0, 100)] });
    store.receive(clock, wall);
    store.receive(from.make("instruments", { instruments: [instrument(0), instrument(1), instrument(2)] }), wall);
    store.receiveBlock(encodeBlock([[2, rowValues({ last_price: 700 })]], from.next()));
    expect([...store.table.last_price]).toEqual([123_450, 123_450, 700]);
    expect([store.selected, store.minutes, store.series.candles.length]).toEqual(["SYM1", 5, 1]);
    expect(store.watched.map((one) => one.symbol)).toEqual(["SYM0", "SYM1", "SYM2"]);
  });
  it("shows the neighbour of a symbol that was taken from the list", () => {
    const { store, from } = openStore();
    const list = (...rows: number[]) =>
      store.receive(from.make("instruments", { instruments: rows.map((row) => instrument(row)) }), wall);
    list(0, 1, 2);
    store.show(symbolName("SYM1"), 5);
    list(0, 2);
    expect(store.selected).toBe("SYM2");
    list(0);
    expect(store.selected).toBe("SYM0");
    list();
    expect([store.selected, store.watched.length]).toEqual([null, 0]);
    list(1);
    expect(store.selected).toBe("SYM1");
  });
  it("keeps the pulses of the last five minutes, each once", () => {
    const { store, from } = openStore();
    const pulse = (second: number) => ({ ...HEALTH.pulse, at_ms: TEN + second * 1_000 });
    for (const second of [1, 1, 2, 2, 3]) {
      store.receive(from.make("status", status({ health: { ...HEALTH, pulse: pulse(second) } })), wall);
    }
    expect(store.pulses.map((one) => one.at_ms - TEN)).toEqual([0, 1_000, 2_000, 3_000]);
  });
  it("counts messages that were lost and those of an unknown kind", () => {
    const { store, from } = openStore();
    from.next();
    from.next();
    store.receive(from.make("status", status()), wall);
    store.receiveUnknown(from.next());
    expect([store.lostMessages, store.unknownMessages]).toEqual([2, 1]);
  });
  it("starts clean on a new connection and keeps what the user looks at", () => {
    const { store } = openStore();
    store.show(symbolName("SYM1"), 5);
    store.setLink("lost", "");
    store.receive(envelopes().make("hello", hello([instrument(0), instrument(1)])), wall);
    expect([store.link, store.selected, store.minutes, store.lostMessages]).toEqual(["open", "SYM1", 5, 0]);
    expect(store.table.freshness[0]).toBeNaN();
  });
  it("ignores a block before the hello message", () => {
    expect(new Store().receiveBlock(encodeBlock([[0, rowValues()]]))).toEqual([]);
  });
});

describe("the candles of the store", () => {
  const shown = () => {
    const { store, from } = openStore();
    store.show(symbolName("SYM0"), 1);
    store.receive(from.make("candles", { symbol: "SYM0", minutes: 1, candles: [candle(0, 100), candle(1, 101)] }), wall);
    return { store, from };
  };
  it("belong to the symbol and timeframe shown, late ones of another are dropped", () => {
    const { store, from } = shown();
    store.show(symbolName("SYM1"), 1);
    store.receive(from.make("candles", { symbol: "SYM0", minutes: 1, candles: [candle(0, 1)] }), wall);
    expect([store.awaitingCandles, store.series.candles.length]).toEqual([true, 0]);
  });
  it("grow by one when a new one starts and change in place while it runs", () => {
    const { store, from } = shown();
    const forming = (close: number) =>
      store.receive(from.make("forming", { symbol: "SYM0", minutes: 1, candle: candle(2, close, { 6: "forming" }) }), wall);
    forming(102);
    forming(103);
    expect(store.series.candles.map((one) => one.close)).toEqual([100, 101, 103]);
    expect(store.series.generation).toBe(2);
  });
  it("are never replaced by a running one that arrives late", () => {
    const { store, from } = shown();
    store.receive(from.make("forming", { symbol: "SYM0", minutes: 1, candle: candle(1, 55, { 6: "forming" }) }), wall);
    expect(store.series.last?.close).toBe(101);
  });
  it("take a correction, but not an older revision", () => {
    const { store, from } = shown();
    const send = (close: number, revision: number) =>
      store.receive(from.make("candle", { symbol: "SYM0", minutes: 1, candle: candle(0, close, { 8: revision }) }), wall);
    send(99, 1);
    send(100, 0);
    expect(store.series.candles[0]?.close).toBe(99);
  });
});

it("all freshness words of the protocol are in the test's list", () => {
  expect(new Set(FRESHNESS).size).toBe(6);
});
