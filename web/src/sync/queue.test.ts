import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryQueue, type QueueStore, type StoredOp, type StoredTrayItem } from './queue';
import { IdbQueue, forgetQueue } from './queue-idb';

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const op = (room: string, clientId: number, clientSeq: number): StoredOp => ({
  room, clientId, clientSeq, bytes: Uint8Array.of(clientSeq), lineage: 1, madeAt: 5,
});

const item = (id: string, room: string): StoredTrayItem => ({
  id, room, bytes: Uint8Array.of(1), lineage: 1, madeAt: 5, reason: { code: 'room_full', params: {} }, text: 't',
});

const stores: [string, () => QueueStore][] = [
  ['MemoryQueue', () => new MemoryQueue()],
  ['IdbQueue', () => new IdbQueue('p')],
];

describe.each(stores)('every queue: %s', (_name, make) => {
  test('keeps operations by client, then number', async () => {
    const queue = make();
    await queue.write({ putOps: [op('a', 2, 1), op('a', 1, 10), op('a', 1, 9), op('b', 1, 1), op('a', 3, 1)] });
    expect(await queue.ops('a', [2, 1])).toEqual([op('a', 1, 9), op('a', 1, 10), op('a', 2, 1)]);
    expect((await queue.rooms([1])).sort()).toEqual(['a', 'b']);
    expect(await queue.rooms([3])).toEqual(['a']);
    expect(await queue.rooms([])).toEqual([]);
  });

  test('moves to the tray and back in one write', async () => {
    const queue = make();
    await queue.write({ putOps: [op('a', 1, 1)] });
    await queue.write({ removeOps: [op('a', 1, 1)], putTray: [item('i', 'a'), item('j', 'b')] });
    expect([await queue.ops('a', [1]), await queue.tray('a')]).toEqual([[], [item('i', 'a')]]);
    await queue.write({ removeTray: ['i'], putOps: [op('a', 1, 2)] });
    expect([await queue.ops('a', [1]), await queue.tray('a')]).toEqual([[op('a', 1, 2)], []]);
  });
});

describe('IdbQueue', () => {
  test('survives being closed, and belongs to one person', async () => {
    const first = new IdbQueue('p');
    await first.write({ putOps: [op('a', 1, 1)] });
    await first.close();
    expect(await new IdbQueue('p').ops('a', [1])).toEqual([op('a', 1, 1)]);
    expect(await new IdbQueue('q').ops('a', [1])).toEqual([]);
  });

  test('is gone after signing out', async () => {
    const queue = new IdbQueue('p');
    await queue.write({ putOps: [op('a', 1, 1)] });
    await forgetQueue('p');
    expect(await queue.ops('a', [1])).toEqual([]);
  });

  test('a stale id is claimed by one caller only', async () => {
    const [one, two] = [new IdbQueue('p'), new IdbQueue('p')];
    await one.rememberClients([1, 2], 1_000);
    await one.rememberClients([3], 70_000);
    const claims = await Promise.all([one.claimStale(10_000, 70_000), two.claimStale(10_000, 70_000)]);
    expect(claims.flat().sort()).toEqual([1, 2]);
    await one.forgetClient(2);
    expect(await two.clientIds()).toEqual([1, 3]);
  });

  test('a store that cannot be opened rejects, and is tried again', async () => {
    const working = globalThis.indexedDB;
    globalThis.indexedDB = { open: () => { throw new Error('private mode'); } } as unknown as IDBFactory;
    const queue = new IdbQueue('p');
    await expect(queue.write({ putOps: [op('a', 1, 1)] })).rejects.toThrow('private mode');
    globalThis.indexedDB = working;
    await queue.write({ putOps: [op('a', 1, 1)] });
    expect(await queue.ops('a', [1])).toHaveLength(1);
  });
});
