/** The health panel reads what the status says. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Health } from "../src/messages.gen";
import { FEED, FRESHNESS, HEALTH, TEN, instrument, rowValues, status } from "./makers";
import { type Screen, all, find, id, openScreen, read } from "./screen";

let screen: Screen;

beforeEach(async () => {
  screen = await openScreen();
});
afterEach(() => screen.close());

async function opened(health: Partial<Health> = {}, feed: Partial<typeof FEED> = {}): Promise<void> {
  const said = status({ health: { ...HEALTH, ...health }, feed: { ...FEED, ...feed } });
  screen.connect([instrument(0)], { status: said });
  screen.prices(rowValues());
  screen.press("h");
  await import("../src/panels/HealthDialog.svelte");
  await screen.settle();
}

const fact = (name: string): string => read(`[data-fact="${name}"] dd`);
const warns = (name: string): boolean => find(`[data-fact="${name}"] dd`).classList.contains("warns");

describe("the health panel", () => {
  it("opens from the strip too, and goes away with Escape", async () => {
    screen.connect([instrument(0)]);
    find(`button${id("feed")}`).click();
    await import("../src/panels/HealthDialog.svelte");
    await screen.settle();
    const dialog = find(id("health")) as HTMLDialogElement;
    expect(dialog.open).toBe(true);
    dialog.close();
    await screen.settle();
    expect(all(id("health"))).toHaveLength(0);
  });
  it("says that the link is up, since when, and how many symbols are fresh", async () => {
    await opened();
    expect(fact("up")).toBe("connected");
    expect(fact("since_ms")).toBe("09:00:00, for 1 h 0 min");
    expect(fact("fresh")).toBe("2 of 2");
  });
  it("says why it is down and when the next try comes", async () => {
    await opened({ next_attempt_s: 4 }, { up: false, cause: "silent", reason: "no data for 5 s while NIFTY moved" });
    expect(fact("up")).toContain("no data");
    expect(warns("up")).toBe(true);
    expect(fact("reason")).toBe("no data for 5 s while NIFTY moved");
    expect(fact("next_attempt_s")).toBe("in 4 s");
  });
  it("shows a dash for what nobody measured, never a zero", async () => {
    await opened();
    for (const name of ["ping_ms", "rest_ms", "loop_ms", "clock_offset_ms", "minutes_open", "repeats"]) {
      expect(fact(name), name).toBe("—");
    }
  });
  it("lists the interruptions, newest first, with cause, sentence and length", async () => {
    const outages = [
      { from_ms: TEN - 600_000, until_ms: TEN - 565_000, cause: "closed", reason: "the server closed the feed" },
      { from_ms: TEN - 20_000, until_ms: null, cause: "taken", reason: "another program has the feed" },
    ];
    await opened({ outages });
    const cells = all(id("outage")).map((one) => [...one.children].map((cell) => cell.textContent));
    expect(cells).toEqual([
      ["23 Nov 09:59:40", "used elsewhere", "another program has the feed", "20 s, still"],
      ["23 Nov 09:50:00", "connection closed", "the server closed the feed", "35 s"],
    ]);
  });
  it("shows the clock's offset above half a second and warns above two", async () => {
    const told = async (offset: number) => {
      screen.say(screen.from.make("status", status({ health: { ...HEALTH, clock_offset_ms: offset } })));
      return [fact("clock_offset_ms"), warns("clock_offset_ms")];
    };
    await opened();
    expect(await told(400)).toEqual(["right", false]);
    expect(await told(-700)).toEqual(["700 ms behind the exchange", false]);
    const [text, warned] = await told(3_100);
    expect(text).toContain("3.1 s ahead of the exchange: set it");
    expect(warned).toBe(true);
  });
  it("names what was refused, with the last samples", async () => {
    await opened({
      rejected: { unreadable: 2, some_new_reason: 1 },
      rejected_samples: [{ at_ms: TEN, reason: "jump", text: "ACME: 900.00 after 100.00" }],
    });
    expect(fact("rejected_unreadable")).toContain("2");
    expect(read('[data-fact="rejected_some_new_reason"] dt')).toBe("some new reason");
    expect(read(id("sample"))).toBe("10:00:00 ACME: 900.00 after 100.00");
  });
  it("shows what is left of the broker's limits and who waits", async () => {
    await opened({ rest_left: { history: 0.25, quotes: 1 }, rest_waiting: { history: 3 } });
    expect(all(id("limit")).map((one) => one.innerText.replace(/\s+/g, " ").trim())).toEqual([
      "history 25 % left, 3 waiting",
      "quotes 100 % left",
    ]);
  });
  it("shows the repair of a gap as it goes on, in the strip too", async () => {
    const repair = { ...HEALTH.repair, symbols: ["SYM0"], total: 4, minutes_open: 3, minutes_missing: 1 };
    await opened({ repair });
    screen.say(screen.from.make("freshness", { symbol: "SYM0", freshness: "gap" }));
    expect(fact("repair_symbols")).toBe("SYM0");
    expect(warns("minutes_missing")).toBe(true);
    expect((find(id("repair")) as HTMLProgressElement).value).toBe(0.75);
    expect((find(`${id("feed")} progress`) as HTMLProgressElement).value).toBe(0.75);
    expect(read(id("feed"))).toContain("filling the gap: 3 of 4 done");
  });
});

describe("what the panel offers", () => {
  it("is to connect anew, and it says what came of it", async () => {
    await opened();
    screen.world.answers.set("POST api/v1/feed/reconnect", { status: 200, body: { text: "Connecting anew." } });
    find(id("reconnect")).click();
    await screen.settle();
    expect(read(id("link-said"))).toBe("Connecting anew.");
    expect(all(id("take-over"))).toHaveLength(0);
  });
  it("leaves Escape to the panel, wherever the focus went", async () => {
    await opened();
    const escape = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
    document.body.dispatchEvent(escape);
    expect(escape.defaultPrevented).toBe(false);
  });
  it("is to take over, with what that does, only when another program has the feed", async () => {
    await opened({ can_take_over: true });
    screen.world.answers.set("POST api/v1/feed/take-over", { status: 409, body: { error: "no", error_id: "a1" } });
    const help = find(`#${find(id("take-over")).getAttribute("aria-describedby")}`);
    expect(help.textContent).toContain("ends the other program's connection");
    find(id("take-over")).click();
    await screen.settle();
    expect(read(id("link-said"))).toBe("No (a1)");
  });
});

describe("the strip", () => {
  it("names the last gap", () => {
    const outages = [{ from_ms: TEN - 1_080_000, until_ms: TEN - 1_045_000, cause: "closed", reason: "x" }];
    screen.connect([instrument(0)], { status: status({ health: { ...HEALTH, outages } }) });
    screen.prices(rowValues());
    screen.page.tick();
    screen.paint();
    expect(read(id("feed"))).toBe("fresh 1/1 Feed · canary 0 s · last gap 09:42, 35 s");
  });
  it("says within a second that the program is silent", () => {
    screen.connect([instrument(0)]);
    screen.prices(rowValues());
    screen.world.wall = 1_000;
    screen.page.tick();
    screen.paint();
    expect(read(id("feed"))).toBe("⚠ stale 0/1 Feed · no word from the program");
  });
  it("names who is silent while the feed lives, and who was never told", () => {
    screen.connect([instrument(0), instrument(1), instrument(2)]);
    const state = (name: "stale" | "unknown") => rowValues({ freshness: FRESHNESS.indexOf(name) });
    const shown = () => {
      screen.page.tick();
      screen.paint();
      return read(id("feed"));
    };
    screen.prices(rowValues(), state("stale"), rowValues());
    expect(shown()).toContain("stale 2/3 Feed · SYM1 silent");
    screen.prices(rowValues(), state("unknown"), state("unknown"));
    expect(shown()).toContain("unknown 1/3 Feed · 2 symbols never told");
  });
  it("counts only fresh symbols", () => {
    screen.connect([instrument(0), instrument(1)]);
    screen.prices(rowValues(), rowValues({ exchange_ms: TEN - 20_000, freshness: 5 }));
    screen.page.tick();
    screen.paint();
    expect(read(id("feed"))).toContain("quiet 1/2");
  });
});
