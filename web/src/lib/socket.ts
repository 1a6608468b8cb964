/** One socket that comes back: session, socket code, messages, back-off, silence. */

import { type Fetch, NoSession, Refused, command, openSession, socketCode } from "./session";

export interface SocketLike {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Ports {
  fetch: Fetch;
  dial(): SocketLike;
  /** Resolve after the pause, or at once when `wake` is called. */
  sleep(ms: number): Promise<void>;
  random(): number;
  /** The start link's one-time code, once. */
  takeCode(): string | null;
}

export interface Listener {
  onText(text: string): void;
  onBinary(buffer: ArrayBuffer): void;
  onLost(reason: string): void;
  onNoSession(): void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** Pause before the next try: doubles up to a limit, half of it by chance. */
export function pauseMs(failures: number, random: number): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
  return whole / 2 + (whole / 2) * random;
}

export class Connection {
  private socket: SocketLike | null = null;
  private hangUp: () => void = () => undefined;
  private csrf: string | null = null;
  private failures = 0;
  private stopped = false;

  constructor(
    private readonly ports: Ports,
    private readonly listener: Listener,
  ) {}

  /** Stay connected until `stop`, or until the server knows no session of this browser. */
  async run(): Promise<void> {
    while (!this.stopped) {
      let reason = "the connection closed";
      try {
        await this.once();
      } catch (error) {
        if (error instanceof NoSession) {
          this.csrf = null;
          this.listener.onNoSession();
          return;
        }
        reason = "the program does not answer";
      }
      if (this.stopped) return;
      this.listener.onLost(reason);
      await this.ports.sleep(pauseMs(this.failures, this.ports.random()));
      this.failures += 1;
    }
  }

  /** Send a message if the socket is open; the caller repeats it after the next hello. */
  send(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  /** Ask for a change; resolves to the program's sentence. Throws Refused. */
  async command(method: "POST" | "DELETE", path: string, body: object): Promise<string> {
    if (this.csrf === null) throw new Refused("This page is not connected to the program.");
    return command(this.ports.fetch, this.csrf, method, path, body);
  }

  /** Leave the socket without waiting for its answer; `run` opens the next one. */
  drop(): void {
    this.hangUp();
  }

  stop(): void {
    this.stopped = true;
    this.drop();
  }

  private async once(): Promise<void> {
    this.csrf ??= await openSession(this.ports.fetch, this.ports.takeCode());
    const code = await socketCode(this.ports.fetch, this.csrf);
    if (!this.stopped) await this.listen(code);
  }

  private listen(code: string): Promise<void> {
    const socket = this.ports.dial();
    socket.binaryType = "arraybuffer";
    return new Promise((resolve) => {
      socket.onopen = () => {
        this.socket = socket;
        socket.send(JSON.stringify({ code }));
      };
      socket.onmessage = (event: MessageEvent<unknown>) => {
        this.failures = 0;
        if (typeof event.data === "string") this.listener.onText(event.data);
        else if (event.data instanceof ArrayBuffer) this.listener.onBinary(event.data);
      };
      socket.onclose = () => {
        this.socket = null;
        resolve();
      };
      this.hangUp = () => {
        socket.onopen = socket.onmessage = socket.onclose = null;
        this.socket = null;
        socket.close();
        resolve();
      };
    });
  }
}
