/**
 * The durable queue behind a coat that never rejects and never hangs: when storage fails, work
 * goes on from memory, and `canKeep` says so.
 */
import { within } from './patience';
import type { QueueChange, QueueStore, StoredOp, StoredTrayItem } from './queue';
import type { Clock } from './types';

/** Storage that has not answered by then counts as failed. */
const ANSWER_WAIT_MS = 5_000;

export class Keeper {
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #running = new Set<Promise<unknown>>();
  #canKeep = true;

  constructor(store: QueueStore, clock: Clock, changed: () => void) {
    this.#store = store;
    this.#clock = clock;
    this.#changed = changed;
  }

  canKeep(): boolean {
    return this.#canKeep;
  }

  /** Resolves once everything asked so far is answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Whether it is kept now. */
  async write(change: QueueChange): Promise<boolean> {
    const kept = (await this.#try(this.#store.write(change))) !== null;
    const puts = (change.putOps?.length ?? 0) + (change.putTray?.length ?? 0) > 0;
    // Removing works even when the quota is used up, so it proves nothing.
    if (!kept || puts) this.#say(kept);
    return kept;
  }

  async ops(room: string, clientIds: readonly number[]): Promise<StoredOp[]> {
    return (await this.#try(this.#store.ops(room, clientIds)))?.is ?? this.#none();
  }

  async tray(room: string): Promise<StoredTrayItem[]> {
    return (await this.#try(this.#store.tray(room)))?.is ?? this.#none();
  }

  async rooms(clientIds: readonly number[]): Promise<string[]> {
    return (await this.#try(this.#store.rooms(clientIds)))?.is ?? this.#none();
  }

  #none(): never[] {
    this.#say(false);
    return [];
  }

  #say(can: boolean): void {
    if (this.#canKeep === can) return;
    this.#canKeep = can;
    this.#changed();
  }

  #try<T>(work: Promise<T>): Promise<{ readonly is: T } | null> {
    const answer = within(this.#clock, ANSWER_WAIT_MS, work);
    this.#running.add(answer);
    void answer.then(() => this.#running.delete(answer));
    return answer;
  }
}
