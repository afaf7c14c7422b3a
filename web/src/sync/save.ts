/**
 * What the indicator beside the title says: a promise, so it is decided in one place.
 *
 * `SaveTracker.look` takes the facts and the time, and answers with the state to show and when
 * to look again. Only its memory of what is on screen (so that words do not flicker) is kept.
 */
import type { ConnectionStatus, SaveState } from './types';

/** Pending for less: the words need not change. */
const QUIET_MS = 500;
/** Once shown, "Saving" stays at least this long. */
const SAVING_STAYS_MS = 600;
const SLOW_AFTER_MS = 4_000;
/** Connected, and nothing acknowledged for this long. */
const SILENT_AFTER_MS = 30_000;

export interface SaveFacts {
  readonly status: ConnectionStatus;
  /** The first state of the room is here, and what earlier visits left is known. */
  readonly ready: boolean;
  /** The room is attached on the present connection. */
  readonly attached: boolean;
  readonly attachedAt: number;
  /** Clock time until which the connection counts as heard from. */
  readonly freshUntil: number;
  /** Changes without outcome. */
  readonly pending: number;
  /** When the oldest of them was made; when the room was ready, for those of earlier visits. */
  readonly oldestAt: number | null;
  readonly acknowledgedAt: number | null;
  /** The server said that its store does not take changes. */
  readonly storeFailed: boolean;
  /** The server said that the room's space has all that it may hold. */
  readonly spaceFull: boolean;
  readonly trayed: number;
  readonly canKeep: boolean;
}

export interface Look {
  readonly save: SaveState;
  /** Clock time at which the answer may change without a new fact, or null. */
  readonly again: number | null;
}

export class SaveTracker {
  /** Since when "Saving" is on screen, and with which count; null: it is not. */
  #shown: { since: number; count: number } | null = null;
  #last: SaveState = { kind: 'connecting' };

  look(facts: SaveFacts, now: number): Look {
    const { save, again } = this.#decide(facts, now);
    if (!(save.kind === 'saving' && !save.quiet)) this.#shown = null;
    if (!sameSave(this.#last, save)) this.#last = save;
    return { save: this.#last, again };
  }

  #decide(facts: SaveFacts, now: number): Look {
    const failed = failure(facts, now);
    if (failed) return { save: failed, again: null };
    switch (facts.status) {
      case 'offline':
      case 'signed_out':
      case 'outdated':
        return { save: { kind: 'offline', count: facts.pending }, again: null };
      case 'connecting':
      case 'online':
        break;
    }
    if (!facts.ready) return { save: { kind: 'connecting' }, again: null };
    if (facts.pending > 0) return this.#saving(facts, now);
    // Words that just came up stay long enough to be read.
    if (this.#shown && now < this.#shown.since + SAVING_STAYS_MS) {
      const { since, count } = this.#shown;
      return { save: { kind: 'saving', count, slow: false, quiet: false }, again: since + SAVING_STAYS_MS };
    }
    if (facts.status !== 'online' || !facts.attached || now > facts.freshUntil) {
      return { save: { kind: 'connecting' }, again: null };
    }
    return { save: { kind: 'saved', at: facts.acknowledgedAt }, again: facts.freshUntil + 1 };
  }

  #saving(facts: SaveFacts, now: number): Look {
    const since = facts.oldestAt ?? now;
    const age = now - since;
    const quiet = age < QUIET_MS && this.#shown === null;
    const slow = age >= SLOW_AFTER_MS;
    if (!quiet) this.#shown = { since: this.#shown?.since ?? now, count: facts.pending };
    const next = [since + QUIET_MS, since + SLOW_AFTER_MS, silentAt(facts)];
    const again = next.filter((at): at is number => at !== null && at > now);
    const save: SaveState = { kind: 'saving', count: facts.pending, slow, quiet };
    return { save, again: again.length > 0 ? Math.min(...again) : null };
  }
}

function failure(facts: SaveFacts, now: number): SaveState | null {
  const count = facts.pending + facts.trayed;
  const keepsHere = facts.canKeep;
  if (facts.storeFailed && facts.status === 'online') return { kind: 'failed', reason: 'store', count, keepsHere };
  if (facts.spaceFull && facts.status === 'online') return { kind: 'failed', reason: 'full', count, keepsHere };
  if (facts.trayed > 0) return { kind: 'failed', reason: 'refused', count: facts.trayed, keepsHere };
  const silent = silentAt(facts);
  if (silent !== null && now >= silent) return { kind: 'failed', reason: 'silent', count, keepsHere };
  return null;
}

/** When silence becomes a failure: nothing acknowledged although connected and something waits. */
function silentAt(facts: SaveFacts): number | null {
  if (facts.status !== 'online' || !facts.attached || facts.pending === 0) return null;
  return Math.max(facts.oldestAt ?? 0, facts.acknowledgedAt ?? 0, facts.attachedAt) + SILENT_AFTER_MS;
}

function sameSave(a: SaveState, b: SaveState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
