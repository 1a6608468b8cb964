/** Alerts on the page: told once, by line, voice, tone and notification; set and quietened by keys. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AlertLine, RuleAnswer } from "../src/messages.gen";
import { AlertBook } from "../src/lib/alertbook";
import { createAnnouncer } from "../src/lib/announce";
import { wallMs } from "../src/lib/messages";
import { TEN, envelopes, instrument, rowValues } from "./makers";
import { type Screen, all, find, id, openScreen, read } from "./screen";

const line = (number: number, over: Partial<AlertLine> = {}): AlertLine => ({
  number,
  rule_id: 1,
  at_ms: TEN,
  level: "warning",
  symbol: "SYM0",
  source: "last_price",
  comparison: "crosses",
  value: 2500,
  threshold: 2500,
  unit: "rupees",
  direction: 1,
  text: `SYM0 crossed, number ${number}`,
  exchange_ms: TEN,
  age_ms: 0,
  sound: true,
  browser: true,
  cleared_ms: null,
  acknowledged: false,
  ...over,
});

const rule = (over: Partial<RuleAnswer> = {}): RuleAnswer => ({
  id: 1,
  text: "SYM0 last price crosses ₹2,500.00",
  symbol: "SYM0",
  source: "last_price",
  comparison: "crosses",
  threshold: 2500,
  unit: "rupees",
  hysteresis: null,
  cooldown_s: 60,
  level: "warning",
  sound: true,
  browser: true,
  services: false,
  muted: false,
  snoozed_until_ms: null,
  is_watched: true,
  holds: [],
  ...over,
});

const OFF = { state: "off", text: "alerts are sent nowhere", names: [], sent: 0, failed: 0, dropped: 0, waiting: 0 };
const SOURCES = [
  { name: "last_price", kind: "column", unit: "rupees", words: [] },
  { name: "5m:rsi_14", kind: "indicator", unit: "percent", words: [] },
  { name: "feed", kind: "feed", unit: "", words: ["down", "up"] },
];

let screen: Screen;

function answer(what: string, body: object, status = 200): void {
  screen.world.answers.set(what, { status, body });
}

function kept(rules: readonly RuleAnswer[], alerts: readonly AlertLine[] = [], troubles: readonly string[] = []): void {
  answer("GET api/v1/alerts", { mode: "DEMO", server_time_ms: TEN, rules, troubles, services: OFF });
  answer("GET api/v1/alerts/history", { mode: "DEMO", server_time_ms: TEN, alerts });
}

/** What the program says, and a look at it. */
async function told(type: string, data: object): Promise<void> {
  screen.say(screen.from.make(type as never, data as never));
  await screen.settle();
}

async function opened(): Promise<void> {
  screen.press("a");
  await vi.waitFor(async () => {
    await screen.settle();
    find(id("alert-form"));
  }, 10_000);
  await screen.settle();
}

beforeEach(async () => {
  screen = await openScreen();
  kept([]);
  answer("GET api/v1/alerts/sources", { sources: SOURCES });
  screen.connect([instrument(0), instrument(1)]);
  screen.prices(rowValues({ last_price: 250_035 }), rowValues({ last_price: 10_000 }));
  await screen.settle();
});
afterEach(() => screen.close());

describe("an alert", () => {
  it("is a line with a glyph and a word; the last three are shown, newest first", async () => {
    for (const number of [1, 2, 3, 4]) await told("alert", line(number, { level: "urgent" }));
    const shown = all(id("alert")).map((one) => one.textContent?.replace(/\s+/g, " ").trim());
    expect(shown).toHaveLength(3);
    expect(shown[0]).toContain("‼ urgent SYM0 crossed, number 4");
  });

  it("is heard once, and many at once are one tone, the loudest", async () => {
    screen.world.wall = 10_000;
    await told("alert", line(1));
    expect(screen.world.beeps).toEqual(["880 x 2"]);
    await told("alert", line(2, { level: "info" }));
    await told("alert", line(3, { level: "urgent" }));
    expect(screen.world.beeps).toHaveLength(1);
    screen.world.wall = 12_000;
    screen.page.tick();
    screen.paint();
    expect(screen.world.beeps).toEqual(["880 x 2", "1175 x 3"]);
  });

  it("makes no sound while muted, and M mutes for a quarter of an hour", async () => {
    screen.world.wall = 10_000;
    screen.press("m");
    expect(find('button[aria-keyshortcuts="m"]').getAttribute("aria-pressed")).toBe("true");
    await told("alert", line(1));
    expect(screen.world.beeps).toEqual([]);
    screen.world.wall += 15 * 60_000;
    await told("alert", line(2));
    expect(screen.world.beeps).toHaveLength(1);
  });

  it("is a notification of the browser only where that is allowed and nobody looks", async () => {
    screen.world.isLookedAt = false;
    screen.world.wall = 10_000;
    await told("alert", line(1));
    expect(screen.world.notified).toEqual([]);
    screen.world.permission = "granted";
    screen.world.wall += 5_000;
    await told("alert", line(2, { browser: false }));
    expect(screen.world.notified).toEqual([]);
    screen.world.wall += 5_000;
    await told("alert", line(3));
    expect(screen.world.notified).toEqual(["DEMO · Tick-Tick alert: SYM0 crossed, number 3"]);
  });

  it("is heard and notified of where the browser paints nothing, as behind another tab", () => {
    screen.world.isLookedAt = false;
    screen.world.permission = "granted";
    screen.world.wall = 10_000;
    screen.world.socket.say(screen.from.make("alert", line(1)));
    expect(screen.world.beeps).toEqual(["880 x 2"]);
    expect(screen.world.notified).toEqual(["DEMO · Tick-Tick alert: SYM0 crossed, number 1"]);
  });

  it("that was raised before the page came makes no sound", async () => {
    kept([], [line(7)]);
    screen.say(screen.from.make("alert_rules", { rules: 0 }));
    await screen.settle();
    expect(read(id("alerts"))).toContain("number 7");
    expect(screen.world.beeps).toEqual([]);
  });

  it("is acknowledged on every page at once", async () => {
    answer("POST api/v1/alerts/acknowledge", { text: "2 alerts acknowledged." });
    await told("alert", line(1));
    await told("alert", line(2));
    find(id("alerts-seen")).click();
    await screen.settle();
    expect(screen.world.bodies.at(-1)).toEqual({ numbers: [] });
    await told("alerts_seen", { numbers: [1, 2] });
    expect(document.querySelector(id("alerts-seen"))).toBeNull();
  });
});

describe("the voice", () => {
  it("speaks of a hundred alerts a minute at most once in five seconds, of all of them", () => {
    const book = new AlertBook();
    const announce = createAnnouncer();
    const from = envelopes();
    const said: string[] = [];
    announce("Feed fresh.", wallMs(-5_000));
    for (let at = 0; at < 60_000; at += 600) {
      book.take(from.make("alert", line(at / 600)));
      const words = announce("Feed fresh.", wallMs(at), book.words);
      if (words === null) continue;
      book.spoken();
      said.push(words);
    }
    expect(said.length).toBeLessThanOrEqual(12);
    expect(said[0]).toBe("Alert: SYM0 crossed, number 0.");
    expect(said[1]).toBe("9 alerts, latest SYM0 crossed, number 9.");
    const counted = said.map((words) => Number(/^(\d+) alerts/.exec(words)?.[1] ?? 1));
    expect(counted.reduce((sum, one) => sum + one)).toBeGreaterThan(90);
  });
});

describe("the dialog", () => {
  it("sends what is no number as it was typed, for the program to refuse, never as 0 or the default", async () => {
    await opened();
    answer("POST api/v1/alerts", { detail: "hysteresis: expected a number" }, 422);
    screen.type('[name="threshold"]', " ");
    screen.type('[name="hysteresis"]', "0,5");
    (find(id("alert-form")) as HTMLFormElement).requestSubmit();
    await screen.settle();
    expect(screen.world.bodies.at(-1)).toMatchObject({ threshold: " ", hysteresis: "0,5" });
  });

  it("opens by A at the price of the symbol, and Enter sets the alert", async () => {
    await opened();
    const field = find('[name="threshold"]') as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    expect(field.value).toBe("2500.35");
    answer("POST api/v1/alerts", { id: 1, text: "Alert 1 is set: SYM0 last price crosses ₹2,510.00." });
    screen.type('[name="threshold"]', "2510");
    (find(id("alert-form")) as HTMLFormElement).requestSubmit();
    await screen.settle();
    expect(screen.world.bodies.at(-1)).toMatchObject({
      symbol: "SYM0",
      source: "last_price",
      comparison: "crosses",
      threshold: 2510,
      hysteresis: null,
    });
    expect(read(id("alert-said"))).toContain("Alert 1 is set");
  });

  it("offers the words of a source that has words", async () => {
    await opened();
    const source = find('[name="source"]') as HTMLInputElement;
    source.value = "feed";
    source.dispatchEvent(new Event("input", { bubbles: true }));
    source.dispatchEvent(new Event("change", { bubbles: true }));
    await screen.settle();
    expect((find('[name="symbol"]') as HTMLSelectElement).value).toBe("*");
    expect((find('[name="comparison"]') as HTMLSelectElement).value).toBe("becomes");
    expect((find('[name="threshold"]') as HTMLSelectElement).value).toBe("down");
  });

  it("says what the program refuses, and what is wrong in the file", async () => {
    kept([], [], ["alerts.json, entry 2 is not used: source is 'rsi'"]);
    await told("alert_rules", { rules: 0 });
    await opened();
    expect(read(id("alerts-dialog"))).toContain("entry 2 is not used");
    answer("POST api/v1/alerts", { error: "threshold is nan, expected a number", error_id: "e1" }, 409);
    (find(id("alert-form")) as HTMLFormElement).requestSubmit();
    await screen.settle();
    expect(read(id("alert-said"))).toBe("Threshold is nan, expected a number (e1)");
  });

  it("edits, mutes, snoozes and removes a rule", async () => {
    kept([rule({ holds: ["SYM0"] })]);
    await told("alert_rules", { rules: 1 });
    await opened();
    expect(read(id("rule"))).toContain("now true for SYM0");
    for (const [what, path] of [
      ["Mute alert 1", "POST api/v1/alerts/1/mute"],
      ["Snooze alert 1 for 15 minutes", "POST api/v1/alerts/1/snooze"],
      ["Remove alert 1", "DELETE api/v1/alerts/1"],
    ] as const) {
      answer(path, { text: `${what}: done` });
      find(`[aria-label="${what}"]`).click();
      await screen.settle();
      expect(screen.world.asked.at(-1)).toBe(path);
      expect(read(id("rules-said"))).toBe(`${what}: done`);
    }
    find('[aria-label="Edit alert 1"]').click();
    await screen.settle();
    expect(read(id("alert-save"))).toBe("Change alert 1");
    expect((find('[name="threshold"]') as HTMLInputElement).value).toBe("2500");
  });

  it("asks for notifications only when somebody clicks", async () => {
    await opened();
    expect(screen.world.permission).toBe("default");
    find(id("allow")).click();
    await screen.settle();
    expect(screen.world.permission).toBe("granted");
    expect(document.querySelector(id("allow"))).toBeNull();
  });
});
