/** The whole page, mounted, with a server that the test plays; `openScreen` in `beforeEach`. */

import { flushSync, mount, unmount } from "svelte";
import App from "../src/App.svelte";
import type { InstrumentRow } from "../src/messages.gen";
import type { Page } from "../src/lib/page";
import { type RowValues, encodeBlock, envelopes, hello } from "./makers";
import { World } from "./world";

export const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];

export function find(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`nothing on the page matches ${selector}`);
  return found;
}

export const read = (selector: string): string => (find(selector).textContent ?? "").replace(/\s+/g, " ").trim();
export const id = (name: string): string => `[data-testid="${name}"]`;
export const row = (symbol: string): string => `tr[data-symbol="${symbol}"]`;

export class Screen {
  from = envelopes();

  constructor(
    readonly world: World,
    readonly page: Page,
    private readonly app: Record<string, unknown>,
  ) {}

  paint(): void {
    this.world.frame();
    flushSync();
  }

  async settle(): Promise<void> {
    await this.world.settle();
    this.paint();
  }

  say(message: unknown): void {
    this.world.socket.say(message);
    this.paint();
  }

  connect(instruments: readonly InstrumentRow[], over: Parameters<typeof hello>[1] = {}): void {
    this.world.socket.open();
    this.from = envelopes(over.mode);
    this.say(this.from.make("hello", hello(instruments, over)));
  }

  prices(...rows: RowValues[]): void {
    this.say(encodeBlock(rows.map((values, at) => [at, values]), this.from.next()));
  }

  press(key: string, target: EventTarget = document.activeElement ?? window): void {
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    this.paint();
  }

  /** Type into a text field, replacing what it held. */
  type(selector: string, text: string): void {
    const field = find(selector) as HTMLInputElement;
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    this.paint();
  }

  close(): Promise<void> {
    return unmount(this.app);
  }
}

export async function openScreen(): Promise<Screen> {
  const world = new World();
  const page = world.page();
  const app = mount(App, { target: document.body, props: { page } });
  flushSync();
  await world.settle();
  return new Screen(world, page, app);
}
