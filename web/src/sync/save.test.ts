import { describe, expect, test } from 'vitest';
import { SaveTracker, type SaveFacts } from './save';
import { settle } from './testing/clock';
import { HEARTBEAT_MS } from './testing/server';
import { World } from './testing/world';
import type { SaveState } from './types';

const FACTS: SaveFacts = {
  status: 'online',
  ready: true,
  attached: true,
  attachedAt: 0,
  freshUntil: 1e9,
  pending: 0,
  oldestAt: null,
  acknowledgedAt: null,
  storeFailed: false,
  spaceFull: false,
  trayed: 0,
  canKeep: true,
};

const words = (save: SaveState): string => {
  switch (save.kind) {
    case 'connecting':
    case 'saved':
      return save.kind;
    case 'saving':
      return save.slow ? `slow ${save.count}` : save.quiet ? `quiet ${save.count}` : `saving ${save.count}`;
    case 'offline':
      return `offline ${save.count}`;
    case 'failed':
      return `failed ${save.reason} ${save.count}`;
  }
};

describe('what the indicator says', () => {
  test('each fact alone', () => {
    const cases: [Partial<SaveFacts>, string][] = [
      [{}, 'saved'],
      [{ ready: false }, 'connecting'],
      [{ attached: false }, 'connecting'],
      [{ status: 'connecting' }, 'connecting'],
      [{ freshUntil: 9_999 }, 'connecting'],
      [{ status: 'offline' }, 'offline 0'],
      [{ status: 'offline', pending: 3, oldestAt: 0 }, 'offline 3'],
      [{ status: 'signed_out', pending: 1, oldestAt: 0 }, 'offline 1'],
      [{ pending: 1, oldestAt: 9_900 }, 'quiet 1'],
      [{ pending: 1, oldestAt: 9_500 }, 'saving 1'],
      [{ pending: 2, oldestAt: 6_000 }, 'slow 2'],
      [{ status: 'connecting', pending: 2, oldestAt: 9_000 }, 'saving 2'],
      [{ trayed: 1 }, 'failed refused 1'],
      [{ trayed: 1, status: 'offline' }, 'failed refused 1'],
      [{ storeFailed: true, pending: 1, oldestAt: 9_900 }, 'failed store 1'],
      [{ spaceFull: true, pending: 1, oldestAt: 9_900 }, 'failed full 1'],
      [{ spaceFull: true, storeFailed: true, pending: 1, oldestAt: 9_900 }, 'failed store 1'],
      [{ spaceFull: true, status: 'offline', pending: 1, oldestAt: 9_900 }, 'offline 1'],
    ];
    for (const [facts, expected] of cases) {
      const look = new SaveTracker().look({ ...FACTS, ...facts }, 10_000);
      expect([facts, words(look.save)]).toEqual([facts, expected]);
    }
  });

  test('a slow acknowledgement: never "saved" before it; saving, then slow, then saved', async () => {
    const world = await World.ready();
    const said: string[] = [words(world.room.state().save)];
    world.room.subscribe(() => {
      const now = words(world.room.state().save);
      if (said.at(-1) !== now) said.push(now);
    });
    world.there.held = [];
    world.type('x');
    await world.clock.advance(10_000);
    expect(said).toEqual(['saved', 'quiet 1', 'saving 1', 'slow 1']);
    world.there.release();
    await settle();
    expect(said.at(-1)).toBe('saved');
  });

  test('a quick acknowledgement does not flicker; words that came up stay 600 ms', async () => {
    const world = await World.ready();
    const said: string[] = [];
    world.room.subscribe(() => said.push(words(world.room.state().save)));
    await world.typed('x');
    expect([...new Set(said)]).toEqual(['quiet 1', 'saved']);

    said.length = 0;
    world.there.held = [];
    world.type('y');
    await world.clock.advance(550);
    world.there.release();
    await settle();
    expect(said.at(-1)).toBe('saving 1');
    await world.clock.advance(549);
    expect(said.at(-1)).toBe('saving 1');
    await world.clock.advance(1);
    expect(said.at(-1)).toBe('saved');
  });

  test('`at` is when the last change was acknowledged', async () => {
    const world = await World.ready();
    expect(world.room.state().save).toEqual({ kind: 'saved', at: null });
    await world.clock.advance(1_000);
    await world.typed('x');
    expect(world.room.state().save).toEqual({ kind: 'saved', at: world.clock.now() });
  });

  test('offline 3 s after the loss, with the count; saved only after everything is acknowledged again', async () => {
    const world = await World.ready();
    world.server.mode = 'down';
    world.server.cut();
    await world.typed('a');
    await world.typed('b');
    await world.clock.advance(2_999);
    expect(words(world.room.state().save)).toBe('saving 2');
    await world.clock.advance(1);
    expect(words(world.room.state().save)).toBe('offline 2');
    world.server.mode = 'up';
    world.there.held = [];
    world.connection.online();
    await settle();
    expect(words(world.room.state().save)).toBe('saving 2');
    world.there.release();
    await settle();
    await world.clock.advance(600);
    expect(words(world.room.state().save)).toBe('saved');
  });

  test('nothing acknowledged for 30 s while connected: failed, until it is', async () => {
    const world = await World.ready();
    world.there.held = [];
    await world.typed('a');
    await world.clock.advance(29_999);
    expect(words(world.room.state().save)).toBe('slow 1');
    await world.clock.advance(1);
    expect(world.room.state().save).toEqual({ kind: 'failed', reason: 'silent', count: 1, keepsHere: true });
    world.there.release();
    await settle();
    expect(words(world.room.state().save)).toBe('saved');
  });

  test('not heard from within the heartbeat: not "saved"', async () => {
    const world = await World.ready();
    world.server.mode = 'mute';
    await world.clock.advance(HEARTBEAT_MS + 3_000);
    expect(words(world.room.state().save)).toBe('saved');
    await world.clock.advance(1);
    expect(words(world.room.state().save)).toBe('connecting');
    world.server.socket().reply({ case: 'pong', value: { nonce: 1n } });
    await settle();
    expect(words(world.room.state().save)).toBe('saved');
  });

  test('Storing{ok: false} is said at once, and taken back', async () => {
    const world = await World.ready();
    const storing = (ok: boolean): void =>
      world.server.socket().reply({ case: 'storing', value: { room: world.there.bytes, ok } });
    storing(false);
    await settle();
    expect(words(world.room.state().save)).toBe('failed store 0');
    await world.typed('a');
    expect(words(world.room.state().save)).toBe('failed store 1');
    storing(true);
    await settle();
    expect(words(world.room.state().save)).toBe('saved');
    expect(world.textThere()).toBe('a');
  });

  test('a room state is the same object until something changed', async () => {
    const world = await World.ready();
    const before = world.room.state();
    await world.clock.advance(10_000);
    expect(world.room.state()).toBe(before);
    await world.othersWrite('a');
    expect(world.room.state()).not.toBe(before);
  });
});
