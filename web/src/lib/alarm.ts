/** How an alert reaches somebody who does not look: a tone, and the browser's notification. */

import type { AlertLine, Level } from "../messages.gen";
import type { WallMs } from "./messages";

export type Permission = "default" | "granted" | "denied" | "unsupported";

/** What the browser lends; a test lends its own. */
export interface AlarmPorts {
  /** Play a tone of so many beeps at that pitch; false while no gesture allowed sounds. */
  beep(hertz: number, times: number): boolean;
  permission(): Permission;
  askPermission(): Promise<Permission>;
  notify(title: string, text: string): void;
  /** Whether somebody looks at the page. */
  isLookedAt(): boolean;
}

const QUIET_MS = 15 * 60_000;
/** However many alerts there are: tones and notifications not faster than this. */
const PAUSE_MS = 2_000;

const TONES: Readonly<Record<Level, readonly [hertz: number, times: number]>> = {
  info: [660, 1],
  warning: [880, 2],
  urgent: [1175, 3],
};
const ORDER: readonly Level[] = ["info", "warning", "urgent"];

export class Alarm {
  /** Until when there is no sound. */
  quietUntil = -Infinity;
  private toldAt = -Infinity;
  private waiting: AlertLine[] = [];

  constructor(private readonly ports: AlarmPorts) {}

  get permission(): Permission {
    return this.ports.permission();
  }

  /** Only after a click: a browser that is asked out of nothing may refuse for ever. */
  askPermission(): Promise<Permission> {
    return this.ports.askPermission();
  }

  isQuiet(wall: WallMs): boolean {
    return wall < this.quietUntil;
  }

  /** No sound for a quarter of an hour, or sound again. */
  toggleQuiet(wall: WallMs): void {
    this.quietUntil = this.isQuiet(wall) ? -Infinity : wall + QUIET_MS;
  }

  /** Let somebody hear what an alert sounds like; false while the browser forbids it. */
  test(level: Level): boolean {
    return this.ports.beep(...TONES[level]);
  }

  /** Tell what is new and what waited: many at once by one tone and one notification. */
  tell(alerts: readonly AlertLine[], mode: string, wall: WallMs): void {
    this.waiting.push(...alerts);
    if (this.waiting.length === 0 || wall - this.toldAt < PAUSE_MS) return;
    this.toldAt = wall;
    const told = this.waiting.splice(0);
    const loudest = ORDER.findLast((level) => told.some((one) => one.sound && one.level === level));
    if (loudest !== undefined && !this.isQuiet(wall)) this.ports.beep(...TONES[loudest]);
    const shown = told.filter((one) => one.browser);
    const latest = shown.at(-1);
    if (latest === undefined || this.permission !== "granted" || this.ports.isLookedAt()) return;
    const more = shown.length > 1 ? `${shown.length} alerts, latest: ` : "";
    this.ports.notify(`${mode} · Tick-Tick alert`, `${more}${latest.text}`);
  }
}

/** Tones by WebAudio, which sounds only after somebody touched the page; the browser's notifications. */
export function browserAlarm(): Alarm {
  let audio: AudioContext | null = null;
  const wake = (): void => {
    audio ??= new AudioContext();
    void audio.resume();
  };
  for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake, { once: true });
  const supported = "Notification" in window;
  return new Alarm({
    beep: (hertz, times) => {
      if (audio?.state !== "running") return false;
      for (let at = 0; at < times; at += 1) beep(audio, hertz, audio.currentTime + at * 0.18);
      return true;
    },
    permission: () => (supported ? Notification.permission : "unsupported"),
    askPermission: async () => (supported ? Notification.requestPermission() : "unsupported"),
    notify: (title, body) => void new Notification(title, { body, tag: "ticktick-alert" }),
    isLookedAt: () => document.hasFocus(),
  });
}

function beep(audio: AudioContext, hertz: number, at: number): void {
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.2, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.15);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.16);
}
