/** The alerts the page knows: what was raised, which rules hold, and what nobody was told yet. */

import type {
  AlertHistoryAnswer,
  AlertLine,
  AlertsAnswer,
  Level,
  RuleAnswer,
  ServicesState,
} from "../messages.gen";
import type { Envelope } from "./messages";

const MOST_KEPT = 500;

/** Severity never by colour alone: a glyph and a word. */
export const LEVEL_GLYPHS: Readonly<Record<Level, string>> = { info: "i", warning: "!", urgent: "‼" };

export class AlertBook {
  /** Oldest first. */
  raised: readonly AlertLine[] = [];
  rules: readonly RuleAnswer[] = [];
  /** Sentences about rules that are not used. */
  troubles: readonly string[] = [];
  services: ServicesState | null = null;
  /** Why the rules could not be read, empty if they were. */
  refusal = "";
  /** Whether the rules must be read again. */
  isStale = true;
  private fresh: AlertLine[] = [];
  private unspoken: AlertLine[] = [];

  /** Take one message in. */
  take(envelope: Envelope): void {
    switch (envelope.type) {
      case "alert":
        this.raised = [...this.raised, envelope.data].slice(-MOST_KEPT);
        this.fresh.push(envelope.data);
        this.unspoken.push(envelope.data);
        return;
      case "alert_cleared": {
        const { number, cleared_ms } = envelope.data;
        this.raised = this.raised.map((one) => (one.number === number ? { ...one, cleared_ms } : one));
        return;
      }
      case "alerts_seen": {
        const seen = new Set(envelope.data.numbers);
        this.raised = this.raised.map((one) => (seen.has(one.number) ? { ...one, acknowledged: true } : one));
        return;
      }
      case "alert_rules":
        this.isStale = true;
    }
  }

  /** A connection began: the program may be another one, with other alerts. */
  begin(): void {
    this.raised = [];
    this.fresh = [];
    this.unspoken = [];
    this.isStale = true;
  }

  /** What the program says at this moment; what came meanwhile stays. */
  load(rules: AlertsAnswer, history: AlertHistoryAnswer): void {
    this.rules = rules.rules;
    this.troubles = rules.troubles;
    this.services = rules.services;
    this.refusal = "";
    const told = new Set(history.alerts.map((one) => one.number));
    const since = this.raised.filter((one) => !told.has(one.number));
    this.raised = [...history.alerts.toReversed(), ...since].slice(-MOST_KEPT);
  }

  get unseen(): number {
    return this.raised.filter((one) => !one.acknowledged).length;
  }

  /** The alerts that no sound and no notification told yet; they count as told from here on. */
  takeFresh(): readonly AlertLine[] {
    return this.fresh.splice(0);
  }

  /** What a voice should say of the alerts that it did not speak of yet, empty if nothing. */
  get words(): string {
    const latest = this.unspoken.at(-1);
    if (latest === undefined) return "";
    const count = this.unspoken.length;
    return count === 1 ? `Alert: ${latest.text}.` : `${count} alerts, latest ${latest.text}.`;
  }

  /** The voice said them. */
  spoken(): void {
    this.unspoken = [];
  }
}
