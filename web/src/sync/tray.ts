/** Changes that will not be saved by themselves, kept with their text for the person to decide. */
import type { Keeper } from './keeper';
import type { PendingOp } from './outbox';
import type { StoredTrayItem } from './queue';
import type { Fault, TrayItem } from './types';

export class Tray {
  readonly #keeper: Keeper;
  readonly #items = new Map<string, StoredTrayItem>();
  #lineage = 0;
  #view: readonly TrayItem[] = [];

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /** Oldest first; the same array until something changes. */
  items(): readonly TrayItem[] {
    return this.#view;
  }

  load(stored: readonly StoredTrayItem[]): void {
    for (const item of stored) this.#items.set(item.id, item);
    this.#look();
  }

  /** What was made on other content can only be copied (L8). */
  setLineage(lineage: number): void {
    this.#lineage = lineage;
    this.#look();
  }

  /** Takes in an operation that leaves the queue in the same write. */
  add(op: PendingOp, reason: Fault, text: string): void {
    const { room, clientId, clientSeq, bytes, lineage, madeAt, token } = op;
    const id = `${room}/${clientId}/${clientSeq}/${madeAt}/${token}`;
    const item = { id, room, bytes, lineage, madeAt, reason, text };
    this.#items.set(id, item);
    this.#look();
    void this.#keeper.write({ removeOps: [op], putTray: [item] });
  }

  get(id: string): StoredTrayItem | null {
    return this.#items.get(id) ?? null;
  }

  canRetry(item: StoredTrayItem): boolean {
    return this.#lineage === 0 || item.lineage === this.#lineage;
  }

  /** Gone from view; the caller sees to the store. */
  forget(id: string): void {
    this.#items.delete(id);
    this.#look();
  }

  discard(id: string): void {
    this.forget(id);
    void this.#keeper.write({ removeTray: [id] });
  }

  #look(): void {
    const items = [...this.#items.values()].sort((a, b) => a.madeAt - b.madeAt);
    this.#view = items.map((item) => {
      const { id, reason, text, madeAt } = item;
      return { id, reason, text, madeAt, canRetry: this.canRetry(item) };
    });
  }
}
