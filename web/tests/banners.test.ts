import { describe, expect, it } from "vitest";
import { banners } from "../src/lib/banners";
import { wallMs } from "../src/lib/messages";
import { Store } from "../src/lib/store";
import { FEED, FRESHNESS, HEALTH, TEN, encodeBlock, envelopes, hello, instrument, rowValues, status } from "./makers";
import type { Status } from "../src/messages.gen";

const START = wallMs(0);

function shown(over: Partial<Status>, state: (typeof FRESHNESS)[number] = "fresh") {
  const store = new Store();
  const from = envelopes("VIEW");
  store.receive(from.make("hello", hello([instrument(0)], { mode: "VIEW", status: status(over) })), START);
  store.receiveBlock(encodeBlock([[0, rowValues({ freshness: FRESHNESS.indexOf(state) })]], from.next()));
  return { store, lines: () => banners(store, START, START) };
}

const down = (cause: string, reason: string) => ({ ...FEED, up: false, cause, reason });

describe("the banners", () => {
  it("are none while everything is right", () => {
    expect(shown({}).lines()).toEqual([]);
  });
  it("are none in a closed market, however old its prices are", () => {
    expect(shown({ now_ms: TEN + 8 * 3_600_000 }, "closed").lines()).toEqual([]);
  });
  it("say for how long there is no data, and offer to reconnect", () => {
    const { lines } = shown({ now_ms: TEN + 65_000, feed: down("closed", "the server closed the feed") }, "stale");
    expect(lines()).toEqual([
      {
        id: "feed",
        tone: "warning",
        text: "No market data for 1 min 5 s. Last good price 10:00:00.",
        offers: ["reconnect", "details"],
      },
    ]);
  });
  it("say it too when the link is up and brings nothing but pings", () => {
    const [line] = shown({ now_ms: TEN + 12_000 }, "stale").lines();
    expect(line?.text).toBe("No market data for 12 s. Last good price 10:00:00.");
  });
  it("say that another program has the feed, and offer to take it over", () => {
    const health = { ...HEALTH, can_take_over: true };
    const [line, ...more] = shown({ feed: down("taken", "used elsewhere"), health }, "stale").lines();
    expect(line?.text).toBe(
      "Another program seems to use the feed of this login. Prices stopped at 10:00:00. " +
        "Tick-Tick waits, so that the two do not throw each other out.",
    );
    expect([line?.offers, more]).toEqual([["take_over", "details"], []]);
  });
  it("say that the login ended, and nothing else about the feed then", () => {
    const token = { state: "expired", expires_ms: Date.UTC(2026, 10, 22, 22, 0) } as const;
    const lines = shown({ token, feed: down("login", "the login ended") }, "stale").lines();
    expect(lines.map((one) => one.id)).toEqual(["token"]);
    expect(lines[0]?.text).toBe(
      "Broker login ended at 03:30. Prices stopped at 10:00:00. Log in again: ticktick login.",
    );
  });
  it("say that another program may have ended the login, and nothing else about the feed then", () => {
    const token = { state: "refused", expires_ms: Date.UTC(2026, 10, 22, 22, 0) } as const;
    const lines = shown({ token, feed: down("login", "the broker does not take it") }, "stale").lines();
    expect(lines.map((one) => one.id)).toEqual(["token"]);
    expect(lines[0]?.text).toContain("another program logged in. Prices stopped at 10:00:00. Log in again");
  });
  it("say that prices go on while the store is away", () => {
    const store = { state: "degraded", text: "Redis does not answer." } as const;
    expect(shown({ store }).lines()[0]?.text).toBe("Prices continue from memory; history will be repaired.");
  });
  it("say after five seconds what the page waits for", () => {
    const store = new Store();
    expect(banners(store, wallMs(5_000), START)).toEqual([]);
    const [line] = banners(store, wallMs(6_000), START);
    expect(line?.text).toBe("Waiting for the program: no answer for 6 s. Does it still run?");
    expect(line?.offers).toEqual(["retry"]);
  });
});
