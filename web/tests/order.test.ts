import { describe, expect, it } from "vitest";
import { wallMs } from "../src/lib/messages";
import { WatchOrder } from "../src/lib/order";
import { Store } from "../src/lib/store";
import { visibleRows } from "../src/lib/virtual";
import { encodeBlock, envelopes, hello, instrument, rowValues } from "./makers";

function priced(...prices: number[]) {
  const store = new Store();
  const from = envelopes();
  store.receive(from.make("hello", hello(prices.map((_, row) => instrument(row)))), wallMs(0));
  const set = (...next: number[]) =>
    store.receiveBlock(encodeBlock(next.map((last_price, row) => [row, rowValues({ last_price })]), from.next()));
  set(...prices);
  return { store, set };
}

const symbols = (order: WatchOrder, store: Store, wall: number) =>
  order.rows(store, wallMs(wall)).map((one) => one.symbol);

describe("the watchlist's order", () => {
  it("is the list's own until a header is used, then descending, ascending, off", () => {
    const { store } = priced(20, 30, 10);
    const order = new WatchOrder();
    expect(symbols(order, store, 0)).toEqual(["SYM0", "SYM1", "SYM2"]);
    order.toggle("last");
    expect(symbols(order, store, 0)).toEqual(["SYM1", "SYM0", "SYM2"]);
    order.toggle("last");
    expect(symbols(order, store, 0)).toEqual(["SYM2", "SYM0", "SYM1"]);
    order.toggle("last");
    expect(symbols(order, store, 0)).toEqual(["SYM0", "SYM1", "SYM2"]);
  });
  it("stands still under the pointer and moves again when it left", () => {
    const { store, set } = priced(20, 30, 10);
    const order = new WatchOrder();
    order.toggle("last");
    symbols(order, store, 0);
    order.pointerOver = true;
    set(20, 30, 40);
    expect(symbols(order, store, 10_000)).toEqual(["SYM1", "SYM0", "SYM2"]);
    expect(order.paused).toBe(true);
    order.pointerOver = false;
    expect(symbols(order, store, 10_001)).toEqual(["SYM2", "SYM1", "SYM0"]);
  });
  it("stands still while the keyboard is in it", () => {
    const { store, set } = priced(20, 30);
    const order = new WatchOrder();
    order.toggle("last");
    symbols(order, store, 0);
    order.focusWithin = true;
    set(50, 30);
    expect(symbols(order, store, 10_000)).toEqual(["SYM1", "SYM0"]);
  });
  it("is not paused where nothing sorts", () => {
    const order = new WatchOrder();
    order.pointerOver = true;
    expect(order.paused).toBe(false);
  });
  it("keeps equal values in the list's order and unknown ones last, both ways", () => {
    const { store } = priced(20, NaN, 20, 10);
    const order = new WatchOrder();
    order.toggle("last");
    expect(symbols(order, store, 0)).toEqual(["SYM0", "SYM2", "SYM3", "SYM1"]);
    order.toggle("last");
    expect(symbols(order, store, 0)).toEqual(["SYM3", "SYM0", "SYM2", "SYM1"]);
  });
  it("changes at most once a second", () => {
    const { store, set } = priced(20, 30);
    const order = new WatchOrder();
    order.toggle("last");
    symbols(order, store, 0);
    set(50, 30);
    expect(symbols(order, store, 900)).toEqual(["SYM1", "SYM0"]);
    expect(symbols(order, store, 1_000)).toEqual(["SYM0", "SYM1"]);
  });
});

describe("rows drawn", () => {
  it("are all of a short list and a window of a long one", () => {
    expect(visibleRows(60, 0, 300, 30)).toEqual({ first: 0, end: 60 });
    const { first, end } = visibleRows(500, 3_000, 300, 30);
    expect(first).toBeLessThanOrEqual(100);
    expect(end).toBeGreaterThanOrEqual(110);
    expect(end - first).toBeLessThan(40);
    expect(visibleRows(500, 15_000, 300, 30).end).toBe(500);
  });
});
