import { describe, expect, it } from "vitest";
import { symbolName } from "../src/lib/messages";
import { codeOf } from "../src/lib/session";
import { pauseMs } from "../src/lib/socket";
import { encodeBlock, envelopes, hello, instrument, rowValues, status } from "./makers";
import { World } from "./world";

async function connected() {
  const world = new World();
  const page = world.page();
  page.start();
  await world.settle();
  world.socket.open();
  const from = envelopes();
  world.socket.say(from.make("hello", hello([instrument(0), instrument(1)])));
  world.socket.say(encodeBlock([[0, rowValues()], [1, rowValues()]], from.next()));
  return { world, page, from };
}

describe("the session", () => {
  it("is opened with the code of the start link", async () => {
    const world = new World();
    world.code = "one-time";
    world.page().start();
    await world.settle();
    expect(world.asked).toEqual(["POST api/v1/session", "POST api/v1/socket-code"]);
    world.socket.open();
    expect(world.socket.sent).toEqual(['{"code":"socket-1"}']);
  });
  it("is found again after a reload, and when a used link is opened again", async () => {
    const world = new World();
    world.code = "used";
    world.answers.set("POST api/v1/session", { status: 401, body: {} });
    world.page().start();
    await world.settle();
    expect(world.asked).toEqual(["POST api/v1/session", "GET api/v1/session", "POST api/v1/socket-code"]);
  });
  it("that is missing stops the page until a new start link comes", async () => {
    const world = new World();
    world.answers.set("GET api/v1/session", { status: 401, body: {} });
    const page = world.page();
    page.start();
    await world.settle();
    expect([page.store.link, world.sockets.length, world.pauses.length]).toEqual(["no_session", 0, 0]);
    world.code = "new";
    page.start();
    await world.settle();
    expect(world.sockets.length).toBe(1);
  });
  it("code is read from the address", () => {
    expect(codeOf("#code=abc-1_2")).toBe("abc-1_2");
    expect(codeOf("")).toBeNull();
  });
});

describe("the connection", () => {
  it("asks for the candles it shows after every hello", async () => {
    const { world, page } = await connected();
    expect(world.socket.sent.at(-1)).toBe('{"type":"view","symbol":"SYM0","minutes":1}');
    page.select(symbolName("SYM1"));
    page.setMinutes(5);
    page.setMinutes(7);
    expect(world.socket.sent.at(-1)).toBe('{"type":"view","symbol":"SYM1","minutes":5}');
  });
  it("that is lost turns every price stale and comes back with a new socket code", async () => {
    const { world, page } = await connected();
    world.socket.close();
    await world.settle();
    expect(page.store.link).toBe("lost");
    expect(page.store.freshness(0, page.wall())).toBe("stale");
    await world.wake();
    expect(world.sockets.length).toBe(2);
    expect(world.asked.filter((what) => what.endsWith("socket-code"))).toHaveLength(2);
    world.socket.open();
    world.socket.say(envelopes().make("hello", hello([instrument(0)])));
    expect(page.store.link).toBe("open");
  });
  it("tries again more and more slowly, without end", async () => {
    const world = new World();
    world.answers.set("POST api/v1/socket-code", { status: 0, body: {} });
    world.page().start();
    await world.settle();
    for (let turn = 0; turn < 6; turn += 1) await world.wake();
    expect(world.pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });
  it("spreads its tries by chance", () => {
    expect([pauseMs(2, 0), pauseMs(2, 1)]).toEqual([500, 1_000]);
  });
  it("asks for no new chart when the list changed around it", async () => {
    const { world, page, from } = await connected();
    const asked = world.socket.sent.length;
    world.socket.say(from.make("instruments", { instruments: [instrument(0), instrument(2)] }));
    expect([world.socket.sent.length, page.store.selected]).toEqual([asked, "SYM0"]);
    world.socket.say(from.make("instruments", { instruments: [instrument(2)] }));
    expect(world.socket.sent.at(-1)).toBe('{"type":"view","symbol":"SYM2","minutes":1}');
  });
  it("that says nothing for some seconds counts as lost", async () => {
    const { world, page, from } = await connected();
    world.wall = 3_000;
    world.socket.say(from.make("status", status()));
    world.wall = 6_000;
    page.tick();
    expect(page.store.link).toBe("open");
    world.wall = 6_600;
    page.tick();
    expect(page.store.link).toBe("lost");
    await world.settle();
    expect(world.pauses).toHaveLength(1);
    world.socket.say(from.make("status", status()));
    expect(page.store.link).toBe("lost");
  });
  it("is dropped when a block does not fit the hello message", async () => {
    const { world, page } = await connected();
    world.socket.say(new ArrayBuffer(30));
    await world.settle();
    expect(page.store.link).toBe("lost");
    expect(page.store.linkReason).toContain("block kind 0");
  });
  it("starts over from a fresh snapshot when a message was lost", async () => {
    const { world, page, from } = await connected();
    from.next();
    world.socket.say(from.make("status", status()));
    await world.settle();
    expect([page.store.link, page.store.linkReason]).toEqual(["lost", "a message was lost"]);
    await world.wake();
    world.socket.open();
    world.socket.say(envelopes().make("hello", hello([instrument(0)])));
    expect([page.store.link, page.store.lostMessages]).toEqual(["open", 0]);
  });
  it("ends for good when the program was started again and knows no session", async () => {
    const { world, page } = await connected();
    world.answers.set("POST api/v1/socket-code", { status: 401, body: {} });
    world.socket.close();
    await world.settle();
    await world.wake();
    expect(page.store.link).toBe("no_session");
  });
  it("counts a message of a kind it does not know", async () => {
    const { world, page, from } = await connected();
    world.socket.say({ v: 1, seq: from.next(), ts: 0, mode: "DEMO", type: "surprise", data: {} });
    expect(page.store.unknownMessages).toBe(1);
  });
});
