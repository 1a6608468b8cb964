/** The page without its views: socket → store → invalidate → paint, and the user's commands. */

import type { Alarm } from "./alarm";
import type { Colours } from "./bars";
import { BlockError } from "./blocks";
import type { CandleChart } from "./chart";
import { type Choice, type ChoiceStorage, chosenStudies, loadChoice, saveChoice } from "./choice";
import { type MarketMs, type SymbolName, type WallMs, parse, symbolName } from "./messages";
import { type NextFrame, type Painter, type Panel, createPainter } from "./painter";
import { read } from "./session";
import { Connection, type Listener, type Ports } from "./socket";
import { Store } from "./store";
import { namesOf } from "./studies";

/** What the page does with the chart library; its code is loaded on the first call of `drawChart`. */
export type Chart = Pick<
  CandleChart,
  | "load"
  | "update"
  | "loadStudies"
  | "updateStudies"
  | "showPatterns"
  | "home"
  | "setLevels"
  | "setStale"
  | "restyle"
  | "point"
  | "destroy"
>;

export type DrawChart = (
  element: HTMLElement,
  colours: Colours,
  onHover: (startMs: MarketMs | null) => void,
) => Promise<Chart>;

export interface PagePorts extends Ports {
  alarm: Alarm;
  drawChart: DrawChart;
  nextFrame: NextFrame;
  wall(): WallMs;
  /** Where this browser keeps what was chosen. */
  storage: ChoiceStorage;
}

/** No message for so long: the program beats four times a second, so the socket is dead. */
const SILENCE_MS = 3_500;

export class Page implements Listener {
  readonly store = new Store();
  readonly painter: Painter;
  /** What the chart draws over its candles. */
  choice: Choice;
  /** When the page began to connect. */
  startedAt: WallMs;
  private connection: Connection;

  constructor(private readonly ports: PagePorts) {
    this.painter = createPainter(ports.nextFrame);
    this.connection = new Connection(ports, this);
    this.startedAt = ports.wall();
    this.choice = loadChoice(ports.storage);
  }

  /** Connect, now; again when a new start link was opened or somebody will not wait. */
  start(): void {
    this.connection.stop();
    this.connection = new Connection(this.ports, this);
    this.startedAt = this.wall();
    this.invalidate(this.store.setLink("connecting", ""));
    void this.connection.run();
  }

  stop(): void {
    this.connection.stop();
  }

  /** Call about four times a second: ages grow, and a silent socket is dropped. */
  tick(): void {
    if (this.store.link === "open" && this.wall() - this.store.heardAt > SILENCE_MS) {
      this.restart("no word from the program");
    }
    this.tellAlerts();
    this.invalidate(["strip", "watchlist", "quote", "depth", "chart"]);
  }

  wall(): WallMs {
    return this.ports.wall();
  }

  /** Sounds and notifications. */
  get alarm(): Alarm {
    return this.ports.alarm;
  }

  get drawChart(): DrawChart {
    return this.ports.drawChart;
  }

  onPaint(panel: Panel, draw: () => void): () => void {
    return this.painter.onPaint(panel, draw);
  }

  /** Show a symbol in the chart. */
  select(symbol: SymbolName): void {
    if (symbol === this.store.selected) return;
    this.show(symbol, this.store.minutes);
  }

  /** Show a symbol and timeframe, both at once. */
  look(symbol: SymbolName, minutes: number): void {
    const { selected, minutes: shown } = this.store;
    if (symbol !== selected || minutes !== shown) this.show(symbol, minutes);
  }

  /** Show another timeframe of the symbol. */
  setMinutes(minutes: number): void {
    const known = this.store.hello?.timeframes.includes(minutes) ?? false;
    if (!known || minutes === this.store.minutes || this.store.selected === null) return;
    this.show(this.store.selected, minutes);
  }

  /** Draw these over the candles from now on, here and whenever this browser comes back. */
  choose(choice: Choice): void {
    this.choice = choice;
    saveChoice(this.ports.storage, choice);
    this.sendStudies();
    this.invalidate(["chart"]);
  }

  /** Ask for a change; resolves to the program's sentence. Throws Refused. */
  command(method: "POST" | "DELETE", path: string, body: object = {}): Promise<string> {
    return this.connection.command(method, path, body);
  }

  /** Read something that the socket does not bring. Throws Refused. */
  read(path: string, signal?: AbortSignal): Promise<unknown> {
    return read(this.ports.fetch, path, signal);
  }

  onText(text: string): void {
    this.store.heardAt = this.wall();
    const shown = this.store.selected;
    const parsed = parse(text);
    if (!parsed.known) return this.took(this.store.receiveUnknown(parsed.seq));
    this.took(this.store.receive(parsed.envelope, this.store.heardAt));
    const { selected, minutes } = this.store;
    const isFirst = parsed.envelope.type === "hello";
    if (isFirst) this.sendStudies();
    const isNew = isFirst || selected !== shown;
    if (isNew && selected !== null) this.show(selected, minutes);
  }

  onBinary(buffer: ArrayBuffer): void {
    this.store.heardAt = this.wall();
    try {
      this.took(this.store.receiveBlock(buffer));
    } catch (error) {
      if (!(error instanceof BlockError)) throw error;
      this.restart(error.message);
    }
  }

  /** The first reason is the telling one: a dropped socket closes too. */
  onLost(reason: string): void {
    if (this.store.link !== "lost") this.invalidate(this.store.setLink("lost", reason));
  }

  onNoSession(): void {
    this.invalidate(this.store.setLink("no_session", ""));
  }

  /** Paint what a message changed; after a loss only a fresh snapshot is true. */
  private took(panels: readonly Panel[]): void {
    this.invalidate(panels);
    this.tellAlerts();
    if (this.store.lostMessages > 0) this.restart("a message was lost");
  }

  /** Not with a paint: behind another tab or window the browser paints nothing. */
  private tellAlerts(): void {
    const { alerts, mode } = this.store;
    this.alarm.tell(alerts.takeFresh(), mode ?? "", this.wall());
  }

  private restart(reason: string): void {
    this.onLost(reason);
    this.connection.drop();
  }

  /** Ask for the candles of the chart again. */
  askAgain(): void {
    if (this.store.selected !== null) this.show(this.store.selected, this.store.minutes);
  }

  private show(symbol: SymbolName, minutes: number): void {
    this.store.askedAt = this.wall();
    this.invalidate(this.store.show(symbolName(symbol), minutes));
    this.connection.send({ type: "view", symbol, minutes });
  }

  private sendStudies(): void {
    const names = namesOf(chosenStudies(this.choice));
    const patterns = this.choice.patterns !== "none";
    if (names.length === 0 && !patterns) this.store.overlays.clear();
    this.connection.send({ type: "studies", names, patterns });
  }

  private invalidate(panels: readonly Panel[]): void {
    this.painter.invalidate(panels);
  }
}
