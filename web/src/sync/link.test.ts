import { expect, describe, test } from 'vitest';
import { backoffMs, goodbyeMs } from './backoff';
import { settle } from './testing/clock';
import { HEARTBEAT_MS } from './testing/server';
import { World } from './testing/world';

describe('reconnecting', () => {
  test('waits: first within 0–500 ms, then half to whole of a doubling up to 30 s', () => {
    const bounds = [0, 1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => [backoffMs(attempt, () => 0), backoffMs(attempt, () => 1)]);
    expect(bounds).toEqual([
      [0, 500], [500, 1_000], [1_000, 2_000], [2_000, 4_000], [4_000, 8_000], [8_000, 16_000],
      [15_000, 30_000], [15_000, 30_000], [15_000, 30_000],
    ]);
    expect([goodbyeMs(4_000, () => 0), goodbyeMs(4_000, () => 1)]).toEqual([4_000, 8_000]);
  });

  test('"offline" only after 3 s; "Try now" and the browser\'s "online" skip the wait', async () => {
    for (const skip of ['retryNow', 'online'] as const) {
      const world = await World.ready();
      await world.clock.advance(6_000);
      world.server.mode = 'down';
      world.server.cut();
      expect(world.connection.status()).toBe('connecting');
      await world.clock.advance(2_999);
      expect(world.connection.status()).toBe('connecting');
      await world.clock.advance(60_000);
      expect(world.connection.status()).toBe('offline');
      world.server.mode = 'up';
      world.connection[skip]();
      await settle();
      expect([skip, world.connection.status()]).toEqual([skip, 'online']);
    }
  });

  test('a server that welcomes and hangs up does not make the client hot', async () => {
    const world = await World.ready();
    for (let i = 0; i < 5; i++) {
      world.server.cut(4429);
      await settle();
      await world.clock.advance(backoffMs(i, () => 0.5));
      await settle();
      expect(world.server.sockets).toHaveLength(i + 2);
      expect(world.connection.status()).toBe('online');
    }
  });

  test('Goodbye is a lower bound for the wait', async () => {
    const world = await World.ready();
    world.server.socket().reply({ case: 'goodbye', value: { retryAfterMs: 8_000, why: { code: 'busy' } } });
    await settle();
    world.server.cut(4503);
    await world.clock.advance(11_999);
    expect(world.server.sockets).toHaveLength(1);
    await world.clock.advance(1);
    expect(world.server.sockets).toHaveLength(2);
  });

  test('close codes: signed out and outdated do not come back, the rest does', async () => {
    const cases = [
      [4400, 'outdated'], [4401, 'signed_out'], [4406, 'outdated'],
      [4408, 'online'], [4429, 'online'], [4500, 'online'], [4503, 'online'], [1006, 'online'],
    ] as const;
    for (const [code, status] of cases) {
      const world = await World.ready();
      world.server.cut(code);
      await world.clock.advance(60_000);
      expect([code, world.connection.status()]).toEqual([code, status]);
    }
  });

  test('after signing in again "Try now" goes on', async () => {
    const world = await World.ready();
    world.server.cut(4401);
    world.connection.retryNow();
    await settle();
    expect(world.connection.status()).toBe('online');
  });

  test('a socket that opens but is not welcomed is given up', async () => {
    const world = new World();
    world.server.mode = 'mute';
    await world.clock.advance(15_000);
    world.server.mode = 'up';
    await world.clock.advance(500);
    expect(world.connection.status()).toBe('online');
  });
});

describe('heartbeat', () => {
  test('pings when nothing was sent for a heartbeat, also when only we talk', async () => {
    const world = await World.ready();
    await world.clock.advance(HEARTBEAT_MS * 4);
    expect(world.server.all('ping').length).toBeGreaterThanOrEqual(3);
    const pings = world.server.all('ping').length;
    for (let i = 0; i < 40; i++) {
      world.room.setPresence({ i });
      await world.clock.advance(1_000);
    }
    expect(world.server.all('ping').length).toBeGreaterThan(pings);
    expect(world.server.sockets).toHaveLength(1);
  });

  test('gone when nothing at all arrives for two heartbeats', async () => {
    const world = await World.ready();
    world.server.mode = 'mute';
    await world.clock.advance(HEARTBEAT_MS * 2 - 1);
    expect(world.connection.status()).toBe('online');
    await world.clock.advance(1);
    expect(world.connection.status()).toBe('connecting');
  });

  test('when the network changed, a server that does not answer within 5 s is gone', async () => {
    const world = await World.ready();
    world.server.mode = 'mute';
    await world.clock.advance(10);
    world.connection.online();
    await world.clock.advance(5_000);
    expect(world.connection.status()).toBe('connecting');
  });

  test('stop leaves no timer behind and says goodbye to rooms', async () => {
    const world = await World.ready();
    await world.typed('x');
    await world.connection.stop();
    await settle();
    expect(world.clock.waits()).toEqual([]);
    expect(world.server.all('detach')).toHaveLength(1);
  });
});

describe('hostile bytes', () => {
  test('end the connection with an error, and it comes back', async () => {
    const bad = [
      Uint8Array.of(0x80),
      Uint8Array.of(5, 1, 2),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(2, 0x0a, 0x7f),
      // Welcome without a person.
      Uint8Array.of(2, 0x0a, 0x00),
    ];
    for (const bytes of bad) {
      const world = await World.ready();
      world.server.socket().bytes(bytes);
      await settle();
      expect(world.connection.status()).toBe('connecting');
      await world.clock.advance(500);
      expect(world.connection.status()).toBe('online');
      expect(world.room.state().phase).toBe('ready');
    }
  });

  test('a frame of a newer version is ignored', async () => {
    const world = await World.ready();
    world.server.socket().bytes(Uint8Array.of(4, 0xfa, 0x01, 0x01, 0x00));
    await settle();
    expect(world.connection.status()).toBe('online');
  });
});
