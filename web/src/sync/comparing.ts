/** When a room compares its digest with the server's (R8): soon after it became quiet, and by the minute. */
import type { Clock } from './types';

const QUIET_MS = 2_000;
const EVERY_MS = 60_000;

export class Comparing {
  readonly #clock: Clock;
  readonly #compare: () => void;
  #quiet: unknown = null;
  #minute: unknown = null;

  constructor(clock: Clock, compare: () => void) {
    this.#clock = clock;
    this.#compare = compare;
  }

  start(): void {
    this.stop();
    this.#everyMinute();
    this.stirred();
  }

  /** Something changed: not quiet yet. */
  stirred(): void {
    if (this.#minute === null) return;
    if (this.#quiet !== null) this.#clock.clearTimeout(this.#quiet);
    this.#quiet = this.#clock.setTimeout(() => {
      this.#quiet = null;
      this.#compare();
    }, QUIET_MS);
  }

  stop(): void {
    if (this.#quiet !== null) this.#clock.clearTimeout(this.#quiet);
    if (this.#minute !== null) this.#clock.clearTimeout(this.#minute);
    this.#quiet = this.#minute = null;
  }

  #everyMinute(): void {
    this.#minute = this.#clock.setTimeout(() => {
      this.#everyMinute();
      this.#compare();
    }, EVERY_MS);
  }
}
