/** Asking for entries that lack (R2, R3): after 50 ms for a gap, at once after a resync, and again if unanswered. */
import type { Clock } from './types';

const GAP_WAIT_MS = 50;
const ANSWER_WAIT_MS = 5_000;

export class Pulling {
  readonly #clock: Clock;
  readonly #pull: () => void;
  #timer: unknown = null;
  /** Head that the server named; null: nothing is known to lack, other than by a gap. */
  #behindTo: number | null = null;
  /** The timer runs for an answer. */
  #asked = false;

  constructor(clock: Clock, pull: () => void) {
    this.#clock = clock;
    this.#pull = pull;
  }

  /** Whether entries up to the server's word may still be on their way. */
  waits(): boolean {
    return this.#timer !== null;
  }

  /** The server says that it has up to `head`, and will not send it by itself. */
  behind(head: number): void {
    this.#behindTo = head;
    this.#ask();
  }

  /** Entries or a state came, and led to `head`. */
  arrived(head: number, gap: boolean, progress: boolean): void {
    if (this.#behindTo !== null && head >= this.#behindTo) this.#behindTo = null;
    if (this.#behindTo !== null) {
      // A long way comes in parts.
      if (progress) this.#ask();
    } else if (!gap) {
      this.stop();
    } else if (this.#timer === null || (this.#asked && progress)) {
      this.#asked = false;
      this.#again(GAP_WAIT_MS);
    }
  }

  stop(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#behindTo = null;
  }

  #ask(): void {
    this.#asked = true;
    this.#again(ANSWER_WAIT_MS);
    this.#pull();
  }

  #again(ms: number): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.#ask(), ms);
  }
}
