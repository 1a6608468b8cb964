/** A page on a server that the test plays: its clock, its frames, its sockets. */

import { Alarm, type Permission } from "../src/lib/alarm";
import { type WallMs, wallMs } from "../src/lib/messages";
import { type Chart, Page, type PagePorts } from "../src/lib/page";
import type { PatternMark } from "../src/lib/patternmarks";
import type { SocketLike } from "../src/lib/socket";

export class FakeSocket implements SocketLike {
  binaryType: BinaryType = "blob";
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: string[] = [];

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.onclose?.(new Event("close") as CloseEvent);
  }

  open(): void {
    this.onopen?.(new Event("open"));
  }

  say(message: unknown): void {
    const data = message instanceof ArrayBuffer ? message : JSON.stringify(message);
    this.onmessage?.({ data } as MessageEvent);
  }
}

export class World {
  wall = 0;
  /** What the server answers to each path, newest wins. */
  readonly answers = new Map<string, { status: number; body: unknown }>([
    ["GET api/v1/session", { status: 200, body: { csrf: "csrf-1" } }],
    ["POST api/v1/session", { status: 200, body: { csrf: "csrf-1" } }],
    ["POST api/v1/socket-code", { status: 200, body: { code: "socket-1" } }],
  ]);
  readonly asked: string[] = [];
  /** The bodies of what was asked, where there was one. */
  readonly bodies: unknown[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly pauses: number[] = [];
  code: string | null = null;
  /** What the browser keeps. */
  readonly kept = new Map<string, string>();
  /** What was drawn: `load` with the number of candles, `update` with theirs. */
  readonly drawn: string[] = [];
  /** The marks of patterns shown last, and the start of the forming row. */
  marks: readonly PatternMark[] = [];
  forming: number | null = null;
  /** What was heard, and what the browser notified of. */
  readonly beeps: string[] = [];
  readonly notified: string[] = [];
  permission: Permission = "default";
  isLookedAt = true;
  private readonly frames: (() => void)[] = [];
  private readonly sleepers: (() => void)[] = [];

  ports(): PagePorts {
    return {
      fetch: async (path, init) => {
        const what = `${init?.method ?? "GET"} ${path}`;
        this.asked.push(what);
        if (typeof init?.body === "string") this.bodies.push(JSON.parse(init.body));
        const answer = this.answers.get(what) ?? { status: 404, body: {} };
        if (answer.status === 0) throw new TypeError("network down");
        return new Response(JSON.stringify(answer.body), { status: answer.status });
      },
      dial: () => {
        const socket = new FakeSocket();
        this.sockets.push(socket);
        return socket;
      },
      sleep: (ms) => {
        this.pauses.push(ms);
        return new Promise((resolve) => this.sleepers.push(resolve));
      },
      random: () => 1,
      takeCode: () => {
        const code = this.code;
        this.code = null;
        return code;
      },
      alarm: new Alarm({
        beep: (hertz, times) => this.beeps.push(`${hertz} x ${times}`) > 0,
        permission: () => this.permission,
        askPermission: async () => (this.permission = "granted"),
        notify: (title, text) => void this.notified.push(`${title}: ${text}`),
        isLookedAt: () => this.isLookedAt,
      }),
      drawChart: async () => this.chart(),
      nextFrame: (draw) => void this.frames.push(draw),
      storage: {
        getItem: (key) => this.kept.get(key) ?? null,
        setItem: (key, value) => void this.kept.set(key, value),
      },
      wall: (): WallMs => wallMs(this.wall),
    };
  }

  private chart(): Chart {
    const nothing = (): void => undefined;
    return {
      load: (candles, units) => void this.drawn.push(`load ${candles.length} x ${units.minutes}m`),
      update: (candles) => void (candles.length > 0 && this.drawn.push(`update ${candles.length}`)),
      setStale: (stale) => void this.drawn.push(stale ? "stale" : "true again"),
      setLevels: nothing,
      loadStudies: (studies, overlays) => {
        const ids = studies.map((study) => study.id).join(" ");
        this.drawn.push(`studies [${ids}] x ${overlays.rows().length}`);
      },
      updateStudies: (rows, forming) => {
        if (rows.length > 0) this.drawn.push(`rows ${rows.length}`);
        this.forming = forming?.startMs ?? null;
      },
      showPatterns: (marks) => void (this.marks = marks),
      home: nothing,
      restyle: nothing,
      point: nothing,
      destroy: nothing,
    };
  }

  page(): Page {
    return new Page(this.ports());
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("the page dialled no socket yet");
    return socket;
  }

  /** Let every promise that can go on do so. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }

  /** Wake the page from its pause. */
  async wake(): Promise<void> {
    this.sleepers.splice(0).forEach((resolve) => resolve());
    await this.settle();
  }

  frame(): void {
    this.frames.splice(0).forEach((draw) => draw());
  }
}
