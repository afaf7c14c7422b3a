/** What this session says of itself in a room: the latest only, not more often than others can use. */
import type { Clock } from './types';

const APART_MS = 80;
/** As the protocol has it; more is not sent. */
const BYTES_MAX = 4_096;

export class PresenceOut {
  readonly #clock: Clock;
  readonly #send: (data: Uint8Array) => void;
  #data: Uint8Array | null = null;
  #live = false;
  #timer: unknown = null;
  #due = false;

  constructor(clock: Clock, send: (data: Uint8Array) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  set(value: unknown): void {
    const data = new TextEncoder().encode(JSON.stringify(value ?? null));
    if (data.length > BYTES_MAX) return;
    this.#data = data;
    this.#due = true;
    this.#go();
  }

  /** The room is attached: it knows nothing of me yet. */
  start(): void {
    this.#live = true;
    this.#due = this.#data !== null;
    this.#go();
  }

  stop(): void {
    this.#live = false;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #go(): void {
    if (!this.#live || !this.#due || this.#timer !== null || !this.#data) return;
    this.#due = false;
    this.#send(this.#data);
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#go();
    }, APART_MS);
  }
}
