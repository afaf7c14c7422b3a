/** Collects what is typed into operations: after a short pause, or after a while without one. */
import * as Y from 'yjs';
import type { Clock } from '../types';

const IDLE_MS = 40;
const WAIT_MAX_MS = 200;

export class Gather {
  readonly #clock: Clock;
  readonly #emit: (update: Uint8Array, since: number) => void;
  readonly #bytesMax: () => number;
  #updates: Uint8Array[] = [];
  #since = 0;
  #timer: unknown = null;
  #held = false;

  constructor(clock: Clock, bytesMax: () => number, emit: (update: Uint8Array, since: number) => void) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#emit = emit;
  }

  /** Since when something is gathered, or null. */
  since(): number | null {
    return this.#updates.length > 0 ? this.#since : null;
  }

  add(update: Uint8Array): void {
    const now = this.#clock.now();
    if (this.#updates.length === 0) this.#since = now;
    this.#updates.push(update);
    this.#arm(now);
  }

  hold(on: boolean): void {
    if (this.#held === on) return;
    this.#held = on;
    if (on) this.#disarm();
    else this.flush();
  }

  /** One operation of all that is gathered; several if one would be too large. */
  flush(): void {
    this.#disarm();
    const updates = this.#updates;
    this.#updates = [];
    if (updates.length === 0) return;
    const merged = updates.length === 1 ? updates[0] : Y.mergeUpdates(updates);
    if (merged && merged.length <= this.#bytesMax()) this.#emit(merged, this.#since);
    else updates.forEach((update) => this.#emit(update, this.#since));
  }

  stop(): void {
    this.#disarm();
    this.#updates = [];
  }

  #arm(now: number): void {
    if (this.#held) return;
    this.#disarm();
    const wait = Math.min(IDLE_MS, this.#since + WAIT_MAX_MS - now);
    this.#timer = this.#clock.setTimeout(() => this.flush(), Math.max(0, wait));
  }

  #disarm(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
