import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, test } from 'vitest';
import { Right } from '../generated/weft_pb';
import { MemoryQueue } from './queue';
import { IdbQueue } from './queue-idb';
import { settle } from './testing/clock';
import { FakeRoom } from './testing/room';
import { ROOM, World } from './testing/world';

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

describe('sending', () => {
  test('R5: numbers count from 1, at most a window is under way, the rest follows the answers', async () => {
    const world = new World();
    world.server.window = 3;
    await settle();
    world.there.held = [];
    for (const letter of 'abcde') await world.typed(letter);
    expect(world.server.submits()).toEqual(['101:1', '101:2', '101:3']);
    world.there.release();
    await settle();
    expect(world.server.submits()).toEqual(['101:1', '101:2', '101:3', '101:4', '101:5']);
    expect(world.textThere()).toBe('abcde');
  });

  test('L3: after a reconnect all unanswered go again, same numbers, same order, and count once', async () => {
    const world = await World.ready();
    await world.typed('a');
    world.there.held = [];
    await world.typed('b');
    await world.typed('c');
    world.server.cut();
    world.there.held = null;
    await world.clock.advance(500);
    expect(world.server.submits()).toEqual(['101:1', '101:2', '101:3', '101:2', '101:3']);
    expect(world.server.all('hello').at(-1)).toMatchObject({ clientIds: [101n] });
    expect([world.text(), world.textThere(), world.there.head]).toEqual(['abc', 'abc', 4]);
    expect(world.room.state().pending).toBe(0);
  });

  test('R4: an own entry is as good as the outcome', async () => {
    const world = await World.ready();
    world.there.held = [];
    await world.typed('a');
    expect(world.room.state().pending).toBe(1);
    world.there.events(world.server.socket(), world.there.log.slice(1));
    await settle();
    expect(world.room.state()).toMatchObject({ pending: 0, save: { kind: 'saved' } });
  });

  test('R6: not saved stays pending and is sent again, with all later ones, after retry_ms', async () => {
    const world = await World.ready();
    world.there.verdict = () => ({ case: 'notSaved', value: { code: 'store_failed', params: { retry_ms: '700' } } });
    await world.typed('a');
    await world.typed('b');
    expect(world.room.state().save).toEqual({ kind: 'failed', reason: 'store', count: 2, keepsHere: true });
    world.there.verdict = () => null;
    const before = world.server.submits().length;
    await world.clock.advance(699);
    expect(world.server.submits(before)).toEqual([]);
    await world.clock.advance(1);
    expect(world.server.submits(before)).toEqual(['101:1', '101:2']);
    expect(world.textThere()).toBe('ab');
  });

  test('R6: what a full space does not take waits, and goes once there is room', async () => {
    const world = await World.ready();
    world.there.verdict = () => ({ case: 'notSaved', value: { code: 'quota_exceeded', params: { retry_ms: '30000' } } });
    await world.typed('a');
    await world.typed('b');
    expect(world.room.state().save).toEqual({ kind: 'failed', reason: 'full', count: 2, keepsHere: true });
    // Also after so long that silence would be a failure of its own.
    await world.clock.advance(29_000);
    expect(world.room.state().save).toEqual({ kind: 'failed', reason: 'full', count: 2, keepsHere: true });
    expect(world.room.state().tray).toEqual([]);
    world.there.verdict = () => null;
    world.server.socket().reply({ case: 'storing', value: { room: world.there.bytes, ok: true } });
    await settle();
    await world.clock.advance(1_000);
    expect(world.textThere()).toBe('ab');
    expect(world.room.state().save).toMatchObject({ kind: 'saved' });
  });

  test('R6: Storing{ok: true} and "Try now" send at once', async () => {
    for (const how of ['storing', 'now'] as const) {
      const world = await World.ready();
      world.there.verdict = () => ({ case: 'notSaved', value: { code: 'busy', params: { retry_ms: '60000' } } });
      await world.typed('a');
      world.there.verdict = () => null;
      if (how === 'now') world.room.retryNow();
      else world.server.socket().reply({ case: 'storing', value: { room: world.there.bytes, ok: true } });
      await settle();
      expect([how, world.textThere()]).toEqual([how, 'a']);
    }
  });

  test('R7: what is missing is sent again from there, once for a burst of answers', async () => {
    const world = await World.ready();
    world.server.mode = 'mute';
    await world.typed('a');
    world.server.mode = 'up';
    await world.typed('b');
    await world.typed('c');
    expect(world.server.submits()).toEqual(['101:1', '101:2', '101:1', '101:2', '101:3']);
    expect(world.textThere()).toBe('abc');
  });

  test('R7: a numbering with a hole is left behind: new id, new numbers, nothing lost', async () => {
    const world = await World.ready();
    await world.typed('a');
    // The server knows less than it acknowledged: its backup was older.
    world.there.held = [];
    await world.typed('b');
    world.server.cut();
    world.there.restoreToNothing();
    await world.clock.advance(500);
    expect(world.issued).toEqual([101]);
    await world.clock.advance(1_000);
    expect(world.issued).toEqual([101, 102]);
    expect(world.server.submits().at(-1)).toBe('102:1');
    expect(world.room.state().pending).toBe(0);
  });
});

describe('refused', () => {
  test('a refused change leaves the content and goes to the tray, with its text and reason', async () => {
    const world = await World.ready();
    await world.typed('kept ');
    world.there.verdict = () => ({ case: 'refused', value: { code: 'room_full', params: { limit: '9' } } });
    await world.typed('too much');
    expect(world.text()).toBe('kept ');
    const { tray, save, generation } = world.room.state();
    expect(tray).toMatchObject([{ reason: { code: 'room_full', params: { limit: '9' } }, text: 'too much', canRetry: true }]);
    expect(save).toEqual({ kind: 'failed', reason: 'refused', count: 1, keepsHere: true });
    expect(generation).toBe(2);
    expect(world.server.all('attach').at(-1)).toMatchObject({ sinceSeq: 0n, epoch: 0n, lineage: 0n });
    expect(world.server.all('detach')).toHaveLength(1);
  });

  test('what built on a refused change is refused too, and joins it in the tray', async () => {
    const world = await World.ready();
    world.there.held = [];
    world.there.verdict = ({ clientSeq }) => (clientSeq === 1n ? { case: 'refused', value: { code: 'room_full' } } : null);
    await world.typed('one');
    world.type(' two');
    world.there.release();
    await settle();
    await world.clock.advance(200);
    const codes = world.room.state().tray.map(({ text, reason }) => [text, reason.code]);
    expect(codes).toEqual([['one', 'room_full'], ['two', 'missing_predecessors']]);
    expect(world.text()).toBe('');
    await world.typed('after');
    expect([world.text(), world.textThere()]).toEqual(['after', 'after']);
  });

  test('Try now makes a new operation; Discard forgets', async () => {
    const world = await World.ready();
    world.there.verdict = () => ({ case: 'refused', value: { code: 'room_full' } });
    await world.typed('big');
    world.there.verdict = () => null;
    const { tray } = world.room.state();
    world.room.retryTrayItem(tray[0]!.id);
    await settle();
    expect([world.text(), world.textThere()]).toEqual(['big', 'big']);
    expect(world.server.submits()).toEqual(['101:1', '101:2']);
    expect(world.room.state()).toMatchObject({ tray: [], save: { kind: 'saved' } });
    expect(await world.queue.tray(ROOM)).toEqual([]);

    world.there.verdict = () => ({ case: 'refused', value: { code: 'room_full' } });
    await world.typed('more');
    world.room.discardTrayItem(world.room.state().tray[0]!.id);
    await settle();
    expect([world.room.state().tray, await world.queue.tray(ROOM), world.text()]).toEqual([[], [], 'big']);
  });

  test('the right to edit is taken away: unsent changes go to the tray, the content is the server\'s', async () => {
    const world = await World.ready();
    world.type('typed just now');
    world.there.right = Right.READ;
    world.server.socket().reply({ case: 'right', value: { room: world.there.bytes, right: Right.READ } });
    await settle();
    expect(world.room.state()).toMatchObject({ right: 'read', pending: 0 });
    expect(world.room.state().tray).toMatchObject([{ reason: { code: 'no_right' }, text: 'typed just now' }]);
    expect(world.text()).toBe('');
    expect(world.server.submits()).toEqual([]);
  });

  test('an operation above the limit is never sent, and is in the tray', async () => {
    const world = new World();
    world.server.opBytesMax = 100;
    await settle();
    await world.typed('x'.repeat(200));
    expect(world.server.submits()).toEqual([]);
    expect(world.room.state().tray).toMatchObject([{ reason: { code: 'op_too_large', params: { limit: '100' } } }]);
    await world.typed('small');
    expect(world.textThere()).toBe('small');
  });
});

describe('the queue of earlier visits', () => {
  test('L3: survives a reload: shown after the first state, sent again under the old id and numbers', async () => {
    const queue = new IdbQueue('p');
    const first = await World.ready({ queue });
    await first.typed('kept ');
    first.server.mode = 'mute';
    await first.typed('unsent');
    first.server.cut();

    first.server.mode = 'up';
    const { server, clock } = first;
    const second = await World.ready({ queue: new IdbQueue('p'), server, clock, claims: [101] });
    expect(second.text()).toBe('kept unsent');
    expect(second.textThere()).toBe('kept unsent');
    expect(second.room.state()).toMatchObject({ pending: 0, save: { kind: 'saved' } });
    expect(server.all('hello').slice(-2)).toMatchObject([{ clientIds: [] }, { clientIds: [102n, 101n] }]);
    expect(server.submits().at(-1)).toBe('101:2');
    expect(await queue.ops(ROOM, [101])).toEqual([]);
    await second.typed('!');
    expect(server.submits().at(-1)).toBe('102:1');
  });

  test('what they left is shown while it waits, also if it builds on entries that come after the state', async () => {
    const queue = new MemoryQueue();
    const first = await World.ready({ queue });
    await first.typed('before ');
    const { server, clock, there } = first;
    there.verdict = () => ({ case: 'notSaved', value: { code: 'quota_exceeded', params: { retry_ms: '30000' } } });
    await first.typed('af');
    await first.typed('ter');
    server.cut();
    there.attachesByEntries = true;
    const second = await World.ready({ queue, server, clock, claims: [101] });
    expect([second.text(), second.textThere()]).toEqual(['before after', 'before ']);
    expect(second.room.state().save).toMatchObject({ kind: 'failed', reason: 'full', count: 2 });
    there.verdict = () => null;
    second.room.retryNow();
    await settle();
    expect([second.text(), second.textThere()]).toEqual(['before after', 'before after']);
    expect(second.room.state().pending).toBe(0);
  });

  test('new changes wait until what earlier visits left is answered', async () => {
    const queue = new MemoryQueue();
    const first = await World.ready({ queue });
    first.server.mode = 'mute';
    await first.typed('old ');
    first.server.cut();
    first.server.mode = 'up';
    const { server, clock, there } = first;
    there.held = [];
    const second = await World.ready({ queue, server, clock, claims: [101] });
    await second.typed('new');
    expect(server.submits().slice(1)).toEqual(['101:1']);
    expect(second.room.state().pending).toBe(2);
    there.release();
    await settle();
    expect(server.submits().slice(1)).toEqual(['101:1', '102:1']);
    expect(second.textThere()).toBe('old new');
  });

  test('L3: what was made under a retired id goes to the tray and is never replayed', async () => {
    const queue = new MemoryQueue();
    const first = await World.ready({ queue });
    first.server.mode = 'mute';
    await first.typed('very old');
    first.server.cut();
    first.server.mode = 'up';
    first.server.retired.add(101);
    const { server, clock } = first;
    const before = server.submits().length;
    const second = await World.ready({ queue, server, clock, claims: [101] });
    expect(second.room.state().tray).toMatchObject([{ reason: { code: 'client_retired' }, text: 'very old', canRetry: true }]);
    expect(server.submits(before)).toEqual([]);
    expect(second.text()).toBe('');
    expect(await queue.tray(ROOM)).toHaveLength(1);
  });

  test('what an earlier visit left in a room that is not open is sent in the background', async () => {
    const queue = new MemoryQueue();
    const first = await World.ready({ queue });
    first.server.mode = 'mute';
    await first.typed('left');
    first.server.cut();
    first.server.mode = 'up';
    const { server, clock } = first;
    const other = server.addRoom(new FakeRoom('00000000000000000000000r01'));
    const second = new World({ queue, server, clock, claims: [101] });
    second.room.close();
    second.room = second.connection.open(other.id);
    await clock.advance(5_000);
    expect(first.textThere()).toBe('left');
    expect(await queue.rooms([101])).toEqual([]);
    expect(second.connection.pending()).toBe(0);
    expect(server.all('detach')).toHaveLength(1);
  });

  test('new changes go under the page\'s own id, whichever id the server names first', async () => {
    const queue = new MemoryQueue();
    const first = await World.ready({ queue });
    first.server.mode = 'mute';
    await first.typed('left');
    first.server.cut();
    first.server.mode = 'up';
    first.server.sortsIds = true;
    const { server, clock } = first;
    const second = await World.ready({ queue, server, clock, claims: [101] });
    await second.typed('!');
    expect(server.submits().slice(1)).toEqual(['101:1', '102:1']);
    expect(second.issued).toEqual([102]);
  });

  test('the tray survives a reload', async () => {
    const first = await World.ready({ queue: new IdbQueue('p') });
    first.there.verdict = () => ({ case: 'refused', value: { code: 'room_full' } });
    await first.typed('mine');
    const { server, clock } = first;
    const second = await World.ready({ queue: new IdbQueue('p'), server, clock });
    expect(second.room.state().tray).toMatchObject([{ text: 'mine', reason: { code: 'room_full' } }]);
  });

  test('a browser that cannot keep changes says so, and still saves', async () => {
    const queue = new MemoryQueue();
    const world = await World.ready({ queue });
    queue.failure = new Error('QuotaExceededError');
    world.there.held = [];
    await world.typed('a');
    expect(world.room.state().canKeep).toBe(false);
    expect(world.connection.wouldLose()).toBe(true);
    world.there.release();
    await settle();
    expect(world.room.state()).toMatchObject({ pending: 0, canKeep: false, save: { kind: 'saved' } });
    expect(world.connection.wouldLose()).toBe(false);
    queue.failure = null;
    await world.typed('b');
    expect(world.room.state().canKeep).toBe(true);
  });

  test('storage that never answers does not keep the room shut', async () => {
    class Hanging extends MemoryQueue {
      override ops(): Promise<never> {
        return new Promise(() => {});
      }
    }
    const world = await World.ready({ queue: new Hanging() });
    expect(world.room.state().phase).toBe('opening');
    await world.clock.advance(5_000);
    expect(world.room.state()).toMatchObject({ phase: 'ready', canKeep: false });
  });

  test('somebody else is signed in: nothing of this queue is sent', async () => {
    const world = new World({ personId: '0000000000000000000000000z' });
    await settle();
    expect(world.connection.status()).toBe('signed_out');
    expect(world.server.all('attach')).toEqual([]);
  });

  test('a room that is closed with changes under way stays until they are answered', async () => {
    const world = await World.ready();
    world.there.held = [];
    world.type('last words');
    world.room.close();
    await world.clock.advance(10_000);
    expect(world.server.all('detach')).toEqual([]);
    world.there.release();
    await world.clock.advance(1_000);
    expect(world.server.all('detach')).toHaveLength(1);
    expect(world.textThere()).toBe('last words');
    world.room = world.connection.open(ROOM);
    await settle();
    await world.typed('!');
    expect(world.server.submits()).toEqual(['101:1', '101:2']);
  });
});
