/** All the page knows, in one mutable place outside the view framework. */

import type {
  Depth,
  FeedUpdate,
  Freshness,
  Hello,
  InstrumentRow,
  Mode,
  Notice,
  Phase,
  PhaseUpdate,
  Pulse,
  Status,
} from "../messages.gen";
import { AlertBook } from "./alertbook";
import { type Block, type Table, applyBlock, decodeBlock, emptyTable, grown } from "./blocks";
import { CandleSeries, candleOf } from "./candles";
import { CloseBook } from "./closes";
import { type MarketClock, ageMs, marketNow } from "./clock";
import { shownFreshness } from "./freshness";
import type { Envelope, MarketMs, SymbolName, WallMs } from "./messages";
import { marketMs, symbolName, wallMs } from "./messages";
import { OverlaySeries } from "./overlays";
import { PANELS, type Panel } from "./painter";
import { type Pattern, PatternBook, patternOf } from "./patterns";
import { ReadingBook } from "./readings";

/** `lost` until the next hello; `no_session` until somebody opens a start link. */
export type Link = "connecting" | "open" | "lost" | "no_session";

const MOST_NOTICES = 300;
const MOST_PULSES = 300;
/** The program speaks at least every 250 ms; after so long a silence nothing is known any more. */
const SILENT_MS = 900;

export class Store {
  link: Link = "connecting";
  linkReason = "";
  /** When the program was last heard. */
  heardAt = wallMs(0);
  hello: Hello | null = null;
  status: Status | null = null;
  mode: Mode | null = null;
  clock: MarketClock | null = null;
  /** The user's list, in its order. */
  watched: readonly InstrumentRow[] = [];
  /** Indices the program follows although nobody watches them. */
  followed: readonly InstrumentRow[] = [];
  notices: readonly Notice[] = [];
  /** How late everything was in the last minutes, a second each, oldest first. */
  pulses: readonly Pulse[] = [];
  table: Table = emptyTable(0);
  /** Direction of each row's last price change: -1, 0 (none seen) or 1. */
  directions = new Int8Array(0);
  /** Number of price changes of each row since the connection opened. */
  moves = new Uint32Array(0);
  /** Number of blocks that held each row: what its texts were made from. */
  versions = new Uint32Array(0);
  readonly series = new CandleSeries();
  /** What is drawn over its candles. */
  readonly alerts = new AlertBook();
  readonly overlays = new OverlaySeries();
  readonly patterns = new PatternBook();
  readonly readings = new ReadingBook();
  readonly closes = new CloseBook();
  /** The book of the selected symbol; null until it comes. */
  depth: Depth | null = null;
  selected: SymbolName | null = null;
  minutes = 1;
  /** Whether the chart waits for the candles of the symbol and timeframe shown. */
  awaitingCandles = false;
  /** When they were asked for. */
  askedAt = wallMs(0);
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
      case "instruments":
        return this.takeInstruments(envelope.data.instruments);
      case "beat":
        return [];
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
      case "series":
        if (!this.shows(envelope.data)) return [];
        this.overlays.replace(envelope.data);
        // what was told since the series was made
        this.patterns.of(envelope.data.symbol, envelope.data.minutes).forEach((one) => this.overlays.take(one));
        return ["chart"];
      case "reading":
        if (!this.shows(envelope.data)) return [];
        this.overlays.update(envelope.data);
        return ["chart"];
      case "depth":
        if (envelope.data.symbol !== this.selected) return [];
        this.depth = envelope.data;
        return ["depth", "quote"];
      case "alert":
      case "alert_cleared":
      case "alerts_seen":
      case "alert_rules":
        this.alerts.take(envelope);
        return ["alerts"];
      case "notice":
        this.notices = [...this.notices, envelope.data].slice(-MOST_NOTICES);
        return ["log"];
      case "freshness":
        return this.takeFreshness(envelope.data.symbol, envelope.data.freshness);
      case "phase":
        return this.takePhase(envelope.data);
      case "feed":
        return this.takeFeed(envelope.data);
      case "closes":
        this.closes.take(envelope.data);
        return ["watchlist"];
      case "readings":
        this.readings.take(envelope.data);
        return ["watchlist"];
      case "patterns":
        this.patterns.take(envelope.data);
        return ["watchlist", "chart", "patterns"];
      case "pattern":
        this.patterns.update(envelope.data);
        this.drawPattern(patternOf(envelope.data.pattern));
        return ["watchlist", "chart", "patterns"];
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
    this.overlays.clear();
    this.awaitingCandles = true;
    return ["watchlist", "quote", "depth", "chart"];
  }

  /** Whether what the page shows may be true: program and broker are both heard. */
  linkUp(wall: WallMs): boolean {
    return this.link === "open" && !this.isSilent(wall) && (this.status?.feed.up ?? false);
  }

  /** Whether the program said nothing for too long, although the socket is open. */
  isSilent(wall: WallMs): boolean {
    return this.link === "open" && wall - this.heardAt > SILENT_MS;
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
    return shownFreshness(told, this.ageMs(row, wall), this.linkUp(wall));
  }

  /** The phase of the instrument's segment. */
  phase({ segment }: InstrumentRow): Phase {
    return this.status?.phases[segment]?.phase ?? "unknown";
  }

  private begin(hello: Hello, wall: WallMs): readonly Panel[] {
    this.alerts.begin();
    this.hello = hello;
    this.notices = hello.notices;
    this.pulses = hello.pulses;
    this.table = emptyTable(0);
    this.directions = new Int8Array(0);
    this.moves = new Uint32Array(0);
    this.versions = new Uint32Array(0);
    this.depth = null;
    this.takeInstruments(hello.instruments);
    if (!hello.timeframes.includes(this.minutes)) this.minutes = hello.timeframes[0] ?? 1;
    this.link = "open";
    this.linkReason = "";
    this.takeStatus(hello.status, wall);
    return PANELS;
  }

  /** Follow these instruments from now on; what is known of the others is kept. */
  private takeInstruments(instruments: readonly InstrumentRow[]): readonly Panel[] {
    const rows = 1 + Math.max(-1, ...instruments.map((one) => one.row));
    const neighbours = this.watched.map((one) => one.symbol);
    this.watched = instruments.filter((one) => one.is_watched);
    this.followed = instruments.filter((one) => !one.is_watched);
    this.rowOf = new Map(instruments.map((one) => [one.symbol, one]));
    this.table = grown(this.table, rows);
    this.directions = copied(new Int8Array(Math.max(rows, this.directions.length)), this.directions);
    this.moves = copied(new Uint32Array(Math.max(rows, this.moves.length)), this.moves);
    this.versions = copied(new Uint32Array(Math.max(rows, this.versions.length)), this.versions);
    if (this.instrument(this.selected) === null) this.selected = this.nearest(neighbours);
    return PANELS;
  }

  /** What to show instead of a symbol that is gone: the next of the old list that is left. */
  private nearest(before: readonly string[]): SymbolName | null {
    const at = before.indexOf(this.selected ?? "");
    const around = at < 0 ? [] : [...before.slice(at), ...before.slice(0, at).toReversed()];
    const left = around.find((symbol) => this.rowOf.has(symbol));
    const first = this.watched.find((one) => one.has_volume) ?? this.watched[0] ?? this.followed[0];
    const symbol = left ?? first?.symbol;
    return symbol === undefined ? null : symbolName(symbol);
  }

  private takeStatus(status: Status, wall: WallMs): readonly Panel[] {
    this.status = status;
    const { pulse } = status.health;
    const newest = this.pulses.at(-1)?.at_ms ?? -Infinity;
    if (pulse.at_ms > newest) this.pulses = [...this.pulses, pulse].slice(-MOST_PULSES);
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

  private drawPattern(pattern: Pattern): void {
    if (this.shows(pattern)) this.overlays.take(pattern);
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

function copied<T extends Int8Array | Uint32Array>(into: T, from: T): T {
  into.set(from);
  return into;
}
