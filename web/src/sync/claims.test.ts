import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test } from 'vitest';
import { HeartbeatClaims, LockClaims, type Locks } from './claims';
import { IdbQueue } from './queue-idb';
import { FakeClock } from './testing/clock';

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

/** Web Locks of one browser. */
class FakeLocks implements Locks {
  readonly #names = new Set<string>();

  async request(name: string, _options: object, held: (lock: unknown) => Promise<void> | undefined): Promise<void> {
    if (this.#names.has(name)) return held(null);
    this.#names.add(name);
    await held({ name });
    this.#names.delete(name);
  }
}

const leave = (queue: IdbQueue, clientId: number): Promise<void> =>
  queue.write({ putOps: [{ room: 'a', clientId, clientSeq: 1, bytes: new Uint8Array(), lineage: 1, madeAt: 1 }] });

describe('Web Locks', () => {
  test('a live tab keeps its queue; that of a closed one goes to one other tab', async () => {
    const [queue, locks, clock] = [new IdbQueue('p'), new FakeLocks(), new FakeClock()];
    const tabs = [1, 2, 3].map(() => new LockClaims(queue, locks, clock));
    const [one, two, three] = tabs as [LockClaims, LockClaims, LockClaims];
    await one.issued(1);
    await leave(queue, 1);
    await two.issued(2);
    expect(await two.claim()).toEqual([]);
    one.stop();
    await Promise.resolve();
    expect(await two.claim()).toEqual([1]);
    expect(await three.claim()).toEqual([]);
    expect(await two.claim()).toEqual([1]);
  });

  test('an id with nothing left is forgotten', async () => {
    const [queue, locks, clock] = [new IdbQueue('p'), new FakeLocks(), new FakeClock()];
    const one = new LockClaims(queue, locks, clock);
    await one.issued(1);
    one.stop();
    await Promise.resolve();
    expect(await new LockClaims(queue, locks, clock).claim()).toEqual([]);
    expect(await queue.clientIds()).toEqual([]);
  });
});

describe('without Web Locks', () => {
  test('the queue of a tab that is silent for 60 s is taken, by one; a living one is left alone', async () => {
    const [queue, clock] = [new IdbQueue('p'), new FakeClock()];
    const [one, two, three] = [1, 2, 3].map(() => new HeartbeatClaims(queue, clock)) as [HeartbeatClaims, HeartbeatClaims, HeartbeatClaims];
    await one.issued(1);
    await two.issued(2);
    await leave(queue, 1);
    await leave(queue, 2);
    await clock.advance(120_000);
    expect(await three.claim()).toEqual([]);
    one.stop();
    await clock.advance(81_000);
    expect((await Promise.all([two.claim(), three.claim()])).flat()).toEqual([1]);
  });
});
