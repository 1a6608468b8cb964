/** Pointer, focus and clicks of a whole table body, told as what they mean. */

export interface RowListener {
  onChoose(symbol: string): void;
  /** The row's own remove button. */
  onRemove(symbol: string): void;
  onPointer(over: boolean): void;
  /** Only a focus that shows itself counts: a click must not pause the sort for good. */
  onFocus(visible: boolean): void;
}

/** The symbol of the row that holds the element, or null. */
export function symbolAt(element: Element | null): string | null {
  return element?.closest<HTMLElement>("tr[data-symbol]")?.dataset["symbol"] ?? null;
}

/** An attachment for the table body. */
export function rowEvents(listener: RowListener): (body: HTMLElement) => () => void {
  return (body) => {
    const listen = new AbortController();
    const on = (type: string, act: (event: Event) => void): void =>
      body.addEventListener(type, act, { signal: listen.signal });
    const focus = (): void => listener.onFocus(body.querySelector(":focus-visible") !== null);
    on("pointerenter", () => listener.onPointer(true));
    on("pointerleave", () => listener.onPointer(false));
    on("focusin", focus);
    on("focusout", () => queueMicrotask(focus));
    on("click", (event) => {
      if (!(event.target instanceof Element)) return;
      const symbol = symbolAt(event.target);
      if (symbol === null) return;
      if (event.target.closest("[data-remove]") === null) listener.onChoose(symbol);
      else listener.onRemove(symbol);
    });
    return () => listen.abort();
  };
}
