/** Time that stands still until a test moves it. */
import type { Clock } from '../types';

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

/** Lets everything that is awaited go on; no time passes. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #next = 1;
  readonly #timers = new Map<number, Timer>();

  now(): number {
    return this.#now;
  }

  setTimeout(fn: () => void, ms: number): unknown {
    this.#timers.set(this.#next, { at: this.#now + ms, fn });
    return this.#next++;
  }

  clearTimeout(handle: unknown): void {
    if (typeof handle === 'number') this.#timers.delete(handle);
  }

  /** Fires what is due on the way, in order, with everything settled in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
      if (!due) break;
      const [handle, { at, fn }] = due;
      this.#timers.delete(handle);
      this.#now = Math.max(this.#now, at);
      fn();
      await settle();
    }
    this.#now = end;
  }

  /** Milliseconds until each timer. */
  waits(): number[] {
    return [...this.#timers.values()].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }
}
