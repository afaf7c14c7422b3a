/** The order of a room's entries at this side (R2): which may be applied, and whether one lacks. */
import type { Entry } from './wire';

/** Entries kept beyond a gap; what is above comes with the pull. */
const AHEAD_MAX = 1_024;

export class Sequence {
  #head = 0;
  readonly #ahead = new Map<number, Entry>();

  head(): number {
    return this.#head;
  }

  /** Starts over from a state. */
  reset(head: number): void {
    this.#head = head;
    for (const seq of this.#ahead.keys()) if (seq <= head) this.#ahead.delete(seq);
  }

  /** Forgets what came early; for another numbering. */
  clear(): void {
    this.#head = 0;
    this.#ahead.clear();
  }

  hasGap(): boolean {
    return this.#ahead.size > 0;
  }

  /** Those of `entries`, and of what came early, that follow now, in order. */
  take(entries: readonly Entry[]): Entry[] {
    for (const entry of entries) {
      if (entry.seq > this.#head && (entry.seq === this.#head + 1 || this.#ahead.size < AHEAD_MAX)) {
        this.#ahead.set(entry.seq, entry);
      }
      if (entry.seq === this.#head + 1) this.#advance();
    }
    this.#advance();
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  #ready: Entry[] = [];

  #advance(): void {
    for (;;) {
      const next = this.#ahead.get(this.#head + 1);
      if (!next) return;
      this.#ahead.delete(next.seq);
      this.#head = next.seq;
      this.#ready.push(next);
    }
  }
}
