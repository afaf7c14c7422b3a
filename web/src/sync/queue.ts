/**
 * The durable queue of one person's operations that have no outcome yet, and of their tray.
 *
 * `write` is all or nothing and rejects when the store cannot take it (quota, private mode):
 * the caller then goes on from memory and says that nothing is kept. Implementations:
 * `MemoryQueue` here, `IdbQueue` in queue-idb.ts.
 */
import type { Fault } from './types';

export interface OpKey {
  readonly room: string;
  readonly clientId: number;
  readonly clientSeq: number;
}

export interface StoredOp extends OpKey {
  readonly bytes: Uint8Array;
  /** Of the content that it was made on (L8). */
  readonly lineage: number;
  readonly madeAt: number;
}

export interface StoredTrayItem {
  readonly id: string;
  readonly room: string;
  readonly bytes: Uint8Array;
  readonly lineage: number;
  readonly madeAt: number;
  readonly reason: Fault;
  readonly text: string;
}

/** Applied in one transaction. */
export interface QueueChange {
  readonly putOps?: readonly StoredOp[];
  readonly removeOps?: readonly OpKey[];
  readonly putTray?: readonly StoredTrayItem[];
  readonly removeTray?: readonly string[];
}

export interface QueueStore {
  write(change: QueueChange): Promise<void>;
  /** Operations of these clients in this room, by client id, then number. */
  ops(room: string, clientIds: readonly number[]): Promise<StoredOp[]>;
  /** Rooms that hold operations of these clients. */
  rooms(clientIds: readonly number[]): Promise<string[]>;
  tray(room: string): Promise<StoredTrayItem[]>;
}

const keyOf = (key: OpKey): string => `${key.room}/${key.clientId}/${key.clientSeq}`;

/** By client id, then number. */
export function byNumber(a: OpKey, b: OpKey): number {
  return a.clientId - b.clientId || a.clientSeq - b.clientSeq;
}

/** Keeps nothing beyond the page; for tests, and where there is no storage. */
export class MemoryQueue implements QueueStore {
  readonly #ops = new Map<string, StoredOp>();
  readonly #tray = new Map<string, StoredTrayItem>();
  /** Set by tests: every write rejects with it. */
  failure: Error | null = null;

  async write(change: QueueChange): Promise<void> {
    if (this.failure) throw this.failure;
    for (const key of change.removeOps ?? []) this.#ops.delete(keyOf(key));
    for (const id of change.removeTray ?? []) this.#tray.delete(id);
    for (const op of change.putOps ?? []) this.#ops.set(keyOf(op), op);
    for (const item of change.putTray ?? []) this.#tray.set(item.id, item);
  }

  async ops(room: string, clientIds: readonly number[]): Promise<StoredOp[]> {
    const found = [...this.#ops.values()].filter((op) => op.room === room && clientIds.includes(op.clientId));
    return found.sort(byNumber);
  }

  async rooms(clientIds: readonly number[]): Promise<string[]> {
    const ops = [...this.#ops.values()].filter((op) => clientIds.includes(op.clientId));
    return [...new Set(ops.map((op) => op.room))];
  }

  async tray(room: string): Promise<StoredTrayItem[]> {
    return [...this.#tray.values()].filter((item) => item.room === room);
  }
}
