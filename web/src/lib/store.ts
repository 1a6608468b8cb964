/** All the page knows, in one mutable place outside the view framework. */

import type {
  Depth,
  FeedUpdate,
  Freshness,
  Hello,
  InstrumentRow,
  Mode,
  Notice,
  PhaseUpdate,
  Status,
} from "../messages.gen";
import { type Block, type Table, applyBlock, decodeBlock, emptyTable } from "./blocks";
import { CandleSeries, candleOf } from "./candles";
import { type MarketClock, ageMs, marketNow } from "./clock";
import { shownFreshness } from "./freshness";
import type { Envelope, MarketMs, SymbolName, WallMs } from "./messages";
import { marketMs, symbolName } from "./messages";
import { PANELS, type Panel } from "./painter";

/** `lost` until the next hello; `no_session` until somebody opens a start link. */
export type Link = "connecting" | "open" | "lost" | "no_session";

const MOST_NOTICES = 300;

export class Store {
  link: Link = "connecting";
  linkReason = "";
  hello: Hello | null = null;
  status: Status | null = null;
  mode: Mode | null = null;
  clock: MarketClock | null = null;
  /** The user's list, in its order. */
  watched: readonly InstrumentRow[] = [];
  /** Indices the program follows although nobody watches them. */
  followed: readonly InstrumentRow[] = [];
  notices: readonly Notice[] = [];
  table: Table = emptyTable(0);
  /** Direction of each row's last price change: -1, 0 (none seen) or 1. */
  directions = new Int8Array(0);
  /** Number of price changes of each row since the connection opened. */
  moves = new Uint32Array(0);
  /** Number of blocks that held each row: what its texts were made from. */
  versions = new Uint32Array(0);
  readonly series = new CandleSeries();
  /** The book of the selected symbol; null until it comes. */
  depth: Depth | null = null;
  selected: SymbolName | null = null;
  minutes = 1;
  /** Whether the chart waits for the candles of the symbol and timeframe shown. */
  awaitingCandles = false;
  unknownMessages = 0;
  /** Messages that should have come on this connection and did not. */
  lostMessages = 0;
  private lastSeq: number | null = null;
  private rowOf: ReadonlyMap<string, InstrumentRow> = new Map();

  /** Take one message in; returns the panels it changed. */
  receive(envelope: Envelope, wall: WallMs): readonly Panel[] {
    if (envelope.type === "hello") {
      this.lastSeq = null;
      this.lostMessages = 0;
    }
    this.follow(envelope.seq);
    const mode = this.mode;
    this.mode = envelope.mode;
    const panels = this.apply(envelope, wall);
    return mode === envelope.mode ? panels : PANELS;
  }

  private apply(envelope: Envelope, wall: WallMs): readonly Panel[] {
    switch (envelope.type) {
      case "hello":
        return this.begin(envelope.data, wall);
      case "status":
        return this.takeStatus(envelope.data, wall);
      case "candles":
        if (!this.shows(envelope.data)) return [];
        this.series.replace(envelope.data.candles.map(candleOf));
        this.awaitingCandles = false;
        return ["chart"];
      case "candle":
      case "forming":
        if (!this.shows(envelope.data) || this.awaitingCandles) return [];
        return this.series.merge(candleOf(envelope.data.candle)) ? ["chart"] : [];
      case "depth":
        if (envelope.data.symbol !== this.selected) return [];
        this.depth = envelope.data;
        return ["depth"];
      case "notice":
        this.notices = [...this.notices, envelope.data].slice(-MOST_NOTICES);
        return ["log"];
      case "freshness":
        return this.takeFreshness(envelope.data.symbol, envelope.data.freshness);
      case "phase":
        return this.takePhase(envelope.data);
      case "feed":
        return this.takeFeed(envelope.data);
    }
  }

  /** Take one binary block in. Throws BlockError when it does not fit the hello message. */
  receiveBlock(buffer: ArrayBuffer): readonly Panel[] {
    if (this.hello === null) return [];
    const block = decodeBlock(buffer, this.hello.columns);
    this.follow(block.seq);
    this.noteChanges(block);
    applyBlock(this.table, block);
    return ["watchlist", "quote"];
  }

  /** Count a message whose type this page does not know. */
  receiveUnknown(seq: number): readonly Panel[] {
    this.follow(seq);
    this.unknownMessages += 1;
    return ["log"];
  }

  /** The state of the connection changed; `reason` is a sentence for the user. */
  setLink(link: Link, reason: string): readonly Panel[] {
    this.link = link;
    this.linkReason = reason;
    return PANELS;
  }

  /** Show another symbol or timeframe; the chart is empty until its candles come. */
  show(symbol: SymbolName, minutes: number): readonly Panel[] {
    if (symbol !== this.selected) this.depth = null;
    this.selected = symbol;
    this.minutes = minutes;
    this.series.replace([]);
    this.awaitingCandles = true;
    return ["watchlist", "quote", "depth", "chart"];
  }

  get linkUp(): boolean {
    return this.link === "open" && (this.status?.feed.up ?? false);
  }

  instrument(symbol: SymbolName | null): InstrumentRow | null {
    return symbol === null ? null : (this.rowOf.get(symbol) ?? null);
  }

  /** Market time now, or null before the first message. */
  now(wall: WallMs): MarketMs | null {
    return this.clock === null ? null : marketNow(this.clock, wall);
  }

  ageMs(row: number, wall: WallMs): number {
    return this.clock === null ? NaN : ageMs(this.clock, wall, this.table.exchange_ms[row] ?? NaN);
  }

  /** Freshness of the row as it may be shown now. */
  freshness(row: number, wall: WallMs): Freshness {
    const told = this.hello?.freshness[this.table.freshness[row] ?? NaN] ?? "unknown";
    return shownFreshness(told, this.ageMs(row, wall), this.linkUp);
  }

  private begin(hello: Hello, wall: WallMs): readonly Panel[] {
    const rows = 1 + Math.max(-1, ...hello.instruments.map((one) => one.row));
    this.hello = hello;
    this.watched = hello.instruments.filter((one) => one.is_watched);
    this.followed = hello.instruments.filter((one) => !one.is_watched);
    this.rowOf = new Map(hello.instruments.map((one) => [one.symbol, one]));
    this.notices = hello.notices;
    this.table = emptyTable(rows);
    this.directions = new Int8Array(rows);
    this.moves = new Uint32Array(rows);
    this.versions = new Uint32Array(rows);
    this.depth = null;
    if (this.instrument(this.selected) === null) {
      const first = this.watched.find((one) => one.has_volume) ?? hello.instruments[0];
      this.selected = first === undefined ? null : symbolName(first.symbol);
    }
    if (!hello.timeframes.includes(this.minutes)) this.minutes = hello.timeframes[0] ?? 1;
    this.link = "open";
    this.linkReason = "";
    this.takeStatus(hello.status, wall);
    return PANELS;
  }

  private takeStatus(status: Status, wall: WallMs): readonly Panel[] {
    this.status = status;
    this.clock = { atMs: marketMs(status.now_ms), rate: status.rate, wall };
    return ["page", "strip"];
  }

  private takePhase({ segment, phase, source }: PhaseUpdate): readonly Panel[] {
    const phases = { ...this.status?.phases, [segment]: { phase, source } };
    if (this.status !== null) this.status = { ...this.status, phases };
    return ["strip"];
  }

  private takeFeed(update: FeedUpdate): readonly Panel[] {
    if (this.status === null) return [];
    this.status = { ...this.status, feed: { ...this.status.feed, ...update } };
    return ["page", "strip", "watchlist", "quote", "depth", "chart"];
  }

  private takeFreshness(symbol: string, freshness: Freshness): readonly Panel[] {
    const row = this.instrument(symbolName(symbol))?.row;
    const index = this.hello?.freshness.indexOf(freshness) ?? -1;
    if (row === undefined || index < 0) return [];
    this.table.freshness[row] = index;
    return ["watchlist", "quote", "depth", "strip"];
  }

  private noteChanges(block: Block): void {
    const prices = block.columns.get("last_price");
    const returns = block.columns.get("tick_return");
    block.rows.forEach((row, index) => {
      this.versions[row] = (this.versions[row] ?? 0) + 1;
      const before = this.table.last_price[row] ?? NaN;
      const now = prices?.[index] ?? NaN;
      if (before === now) return;
      const known = Number.isNaN(before) ? (returns?.[index] ?? NaN) : now - before;
      this.directions[row] = Number.isNaN(known) ? 0 : Math.sign(known);
      if (!Number.isNaN(before)) this.moves[row] = (this.moves[row] ?? 0) + 1;
    });
  }

  private shows(what: { symbol: string; minutes: number }): boolean {
    return what.symbol === this.selected && what.minutes === this.minutes;
  }

  /** `seq` counts every message of a connection from the hello on. */
  private follow(seq: number): void {
    if (this.lastSeq !== null && seq > this.lastSeq + 1) this.lostMessages += seq - this.lastSeq - 1;
    this.lastSeq = seq;
  }
}
