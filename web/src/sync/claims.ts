/**
 * Which client ids this tab holds, so that a closed tab's queue is sent by exactly one other.
 *
 * Each page uses an id of its own for new operations and only sends again what it finds under
 * others; even if two tabs did so at once, the server would count each number once (L3).
 */
import type { IdbQueue } from './queue-idb';
import type { Clock } from './types';

export interface Claims {
  issued(id: number): Promise<void>;
  /** Those that closed tabs left with something in their queue. */
  claim(): Promise<readonly number[]>;
  stop(): void;
}

/** The part of the browser's LockManager that is used. */
export interface Locks {
  request(name: string, options: { ifAvailable: boolean }, held: (lock: unknown) => Promise<void> | undefined): Promise<unknown>;
}

/** Ids held by Web Locks for the life of the tab. */
export class LockClaims implements Claims {
  readonly #queue: IdbQueue;
  readonly #locks: Locks;
  readonly #clock: Clock;
  readonly #held = new Map<number, () => void>();
  readonly #own = new Set<number>();

  constructor(queue: IdbQueue, locks: Locks, clock: Clock) {
    this.#queue = queue;
    this.#locks = locks;
    this.#clock = clock;
  }

  async issued(id: number): Promise<void> {
    this.#own.add(id);
    // The lock first: a recorded id without one is free for others to take.
    await this.#hold(id);
    await this.#queue.rememberClients([id], this.#clock.now());
  }

  async claim(): Promise<readonly number[]> {
    const claimed: number[] = [];
    for (const id of await this.#queue.clientIds()) {
      if (this.#own.has(id) || !(await this.#hold(id))) continue;
      if ((await this.#queue.rooms([id])).length > 0) claimed.push(id);
      else {
        await this.#queue.forgetClient(id);
        this.#release(id);
      }
    }
    return claimed;
  }

  stop(): void {
    for (const id of [...this.#held.keys()]) this.#release(id);
  }

  /** True once this tab holds it. */
  #hold(id: number): Promise<boolean> {
    if (this.#held.has(id)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const asked = this.#locks.request(`weft-client-${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<void>((release) => this.#held.set(id, release));
      });
      asked.catch(() => resolve(false));
    });
  }

  #release(id: number): void {
    this.#held.get(id)?.();
    this.#held.delete(id);
  }
}

/** Without Web Locks: how often a tab says that it lives, and when another may take its queue. */
const ALIVE_EVERY_MS = 20_000;
const STALE_AFTER_MS = 60_000;

/** Tabs say that they live; who is silent is succeeded. */
export class HeartbeatClaims implements Claims {
  readonly #queue: IdbQueue;
  readonly #clock: Clock;
  readonly #own = new Set<number>();
  readonly #adopted = new Set<number>();
  #timer: unknown = null;

  constructor(queue: IdbQueue, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
    this.#again();
  }

  async issued(id: number): Promise<void> {
    this.#own.add(id);
    await this.#live();
  }

  async claim(): Promise<readonly number[]> {
    const now = this.#clock.now();
    for (const id of await this.#queue.claimStale(now - STALE_AFTER_MS, now)) {
      if (!this.#own.has(id)) this.#adopted.add(id);
    }
    const claimed: number[] = [];
    for (const id of this.#adopted) {
      if ((await this.#queue.rooms([id])).length > 0) claimed.push(id);
      else {
        this.#adopted.delete(id);
        await this.#queue.forgetClient(id);
      }
    }
    return claimed;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #again(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#again();
      void this.#live();
    }, ALIVE_EVERY_MS);
  }

  async #live(): Promise<void> {
    try {
      await this.#queue.rememberClients([...this.#own, ...this.#adopted], this.#clock.now());
    } catch {
      // No storage: then there is no queue that another tab could take either.
    }
  }
}
