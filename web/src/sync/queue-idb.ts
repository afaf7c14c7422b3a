/**
 * The queue in IndexedDB, one database per person, and which client ids have been issued there.
 *
 * Opened when first used; when opening fails (private mode, no space) every call rejects, and the
 * next one tries again.
 */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { QueueChange, QueueStore, StoredOp, StoredTrayItem } from './queue';

const VERSION = 1;

interface ClientRecord {
  readonly id: number;
  /** When its tab was last known to live; for browsers without Web Locks. */
  readonly aliveAt: number;
}

interface Schema extends DBSchema {
  ops: { key: [string, number, number]; value: StoredOp; indexes: { client: number } };
  tray: { key: string; value: StoredTrayItem; indexes: { room: string } };
  clients: { key: number; value: ClientRecord };
}

const nameOf = (personId: string): string => `weft-queue-${personId}`;

/** Everything that this browser keeps of a person who signs out. */
export async function forgetQueue(personId: string): Promise<void> {
  await deleteDB(nameOf(personId));
}

export class IdbQueue implements QueueStore {
  readonly #name: string;
  #db: Promise<IDBPDatabase<Schema>> | null = null;

  constructor(personId: string) {
    this.#name = nameOf(personId);
  }

  async write(change: QueueChange): Promise<void> {
    const db = await this.#open();
    const puts = (change.putOps?.length ?? 0) + (change.putTray?.length ?? 0) > 0;
    // "Kept in this browser" is said of what is put, so it must not be only in a cache.
    const tx = db.transaction(['ops', 'tray'], 'readwrite', { durability: puts ? 'strict' : 'default' });
    const ops = tx.objectStore('ops');
    const tray = tx.objectStore('tray');
    const work = [
      ...(change.removeOps ?? []).map((op) => ops.delete([op.room, op.clientId, op.clientSeq])),
      ...(change.removeTray ?? []).map((id) => tray.delete(id)),
      ...(change.putOps ?? []).map((op) => ops.put(op)),
      ...(change.putTray ?? []).map((item) => tray.put(item)),
    ];
    await Promise.all([...work, tx.done]);
  }

  async ops(room: string, clientIds: readonly number[]): Promise<StoredOp[]> {
    const db = await this.#open();
    const found: StoredOp[] = [];
    for (const id of [...clientIds].sort((a, b) => a - b)) {
      const range = IDBKeyRange.bound([room, id, 0], [room, id, Number.MAX_SAFE_INTEGER]);
      found.push(...(await db.getAll('ops', range)));
    }
    return found;
  }

  async rooms(clientIds: readonly number[]): Promise<string[]> {
    const db = await this.#open();
    const rooms = new Set<string>();
    for (const id of clientIds) {
      for (const [room] of await db.getAllKeysFromIndex('ops', 'client', id)) rooms.add(room);
    }
    return [...rooms];
  }

  async tray(room: string): Promise<StoredTrayItem[]> {
    return (await this.#open()).getAllFromIndex('tray', 'room', room);
  }

  // ---- Client ids -----------------------------------------------------------------------------

  async clientIds(): Promise<number[]> {
    return (await this.#open()).getAllKeys('clients');
  }

  /** Issued to, or claimed by, a tab that lives now. */
  async rememberClients(ids: readonly number[], now: number): Promise<void> {
    const tx = (await this.#open()).transaction('clients', 'readwrite');
    await Promise.all([...ids.map((id) => tx.store.put({ id, aliveAt: now })), tx.done]);
  }

  async forgetClient(id: number): Promise<void> {
    await (await this.#open()).delete('clients', id);
  }

  /** Takes over ids whose tab has not lived since `before`; each goes to one caller only. */
  async claimStale(before: number, now: number): Promise<number[]> {
    const tx = (await this.#open()).transaction('clients', 'readwrite');
    const stale = (await tx.store.getAll()).filter(({ aliveAt }) => aliveAt < before).map(({ id }) => id);
    await Promise.all([...stale.map((id) => tx.store.put({ id, aliveAt: now })), tx.done]);
    return stale;
  }

  async close(): Promise<void> {
    const db = this.#db;
    this.#db = null;
    (await db)?.close();
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    const opening = (this.#db ??= openDB<Schema>(this.#name, VERSION, {
      upgrade(db) {
        const ops = db.createObjectStore('ops', { keyPath: ['room', 'clientId', 'clientSeq'] });
        ops.createIndex('client', 'clientId');
        db.createObjectStore('tray', { keyPath: 'id' }).createIndex('room', 'room');
        db.createObjectStore('clients', { keyPath: 'id' });
      },
      // Somebody signs out in another tab, or a newer version wants to upgrade.
      blocking: () => void this.close(),
      terminated: () => {
        this.#db = null;
      },
    }));
    opening.catch(() => {
      if (this.#db === opening) this.#db = null;
    });
    return opening;
  }
}
