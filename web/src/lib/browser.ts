/** The page wired to a real browser: its clock, its network, its frames. */

import { browserAlarm } from "./alarm";
import { Page } from "./page";
import { codeOf } from "./session";
import { createWall } from "./wall";

/** Take the one-time code out of the address, so that neither history nor a reload holds it. */
function takeCode(): string | null {
  const code = codeOf(location.hash);
  if (code !== null) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

function dial(): WebSocket {
  const address = new URL("ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  return new WebSocket(address);
}

/** Sleep, but wake when the network or the tab comes back. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wakers = new AbortController();
    const wake = (): void => {
      wakers.abort();
      resolve();
    };
    window.addEventListener("online", wake, { signal: wakers.signal });
    document.addEventListener("visibilitychange", wake, { signal: wakers.signal });
    setTimeout(wake, ms);
  });
}

export function browserPage(): Page {
  return new Page({
    alarm: browserAlarm(),
    fetch: (path, init) => fetch(path, init),
    dial,
    sleep,
    random: Math.random,
    takeCode,
    nextFrame: (draw) => void requestAnimationFrame(draw),
    drawChart: async (element, colours, onHover) => {
      const { CandleChart } = await import("./chart");
      return new CandleChart(element, colours, onHover);
    },
    storage: localStorage,
    wall: createWall(
      () => performance.now(),
      () => Date.now(),
    ),
  });
}
