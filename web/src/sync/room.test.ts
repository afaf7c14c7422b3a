import { describe, expect, test } from 'vitest';
import { settle } from './testing/clock';
import { ROOM, World } from './testing/world';

describe('order of entries', () => {
  test('R1: an attach from nothing takes the state', async () => {
    const world = new World();
    world.there.ydoc.getText('t').insert(0, 'hello');
    expect(world.room.state().phase).toBe('opening');
    await settle();
    expect(world.room.state()).toMatchObject({ phase: 'ready', roomId: ROOM, kind: 'doc', title: 'Q4 plan', right: 'edit' });
    expect(world.text()).toBe('hello');
    expect(world.server.all('attach')).toMatchObject([{ room: ROOM, sinceSeq: 0n, epoch: 0n, lineage: 0n }]);
  });

  test('R2: entries are applied in order, known ones ignored', async () => {
    const world = await World.ready();
    await world.othersWrite('b');
    await world.othersWrite('a');
    expect([world.text(), world.room.state().head]).toEqual(['ab', 3]);
    world.there.events(world.server.socket(), world.there.log);
    await settle();
    expect([world.text(), world.room.state().head]).toEqual(['ab', 3]);
  });

  test('R2: a gap waits 50 ms, then pulls after the head', async () => {
    const world = await World.ready();
    world.there.losing.add(2);
    await world.othersWrite('b');
    await world.othersWrite('a');
    expect(world.room.state().head).toBe(1);
    await world.clock.advance(49);
    expect(world.server.all('pull')).toEqual([]);
    await world.clock.advance(1);
    expect(world.server.all('pull')).toMatchObject([{ afterSeq: 1n }]);
    expect([world.text(), world.room.state().head]).toEqual(['ab', 3]);
  });

  test('R2: an entry that is late but within 50 ms needs no pull', async () => {
    const world = await World.ready();
    world.there.losing.add(2);
    await world.othersWrite('b');
    await world.othersWrite('a');
    world.there.events(world.server.socket(), world.there.log.slice(1, 2));
    await world.clock.advance(1_000);
    expect(world.server.all('pull')).toEqual([]);
    expect(world.text()).toBe('ab');
  });

  test('R2: a pull may be answered by a state, which keeps the same document', async () => {
    const world = await World.ready();
    const before = world.doc();
    world.there.losing.add(2);
    world.there.pullsByState = true;
    await world.othersWrite('b');
    await world.othersWrite('a');
    await world.clock.advance(50);
    expect([world.text(), world.room.state().head]).toEqual(['ab', 3]);
    expect(world.doc()).toBe(before);
  });

  test('R2: a pull without answer is repeated', async () => {
    const world = await World.ready();
    world.there.losing.add(2);
    await world.othersWrite('b');
    await world.othersWrite('a');
    world.server.mode = 'mute';
    await world.clock.advance(50);
    world.server.mode = 'up';
    await world.clock.advance(5_000);
    expect(world.text()).toBe('ab');
  });

  test('R3: after Resync the client pulls, and is whole again', async () => {
    const world = await World.ready();
    world.there.losing.add(2).add(3);
    await world.othersWrite('b');
    await world.othersWrite('a');
    world.server.socket().reply({ case: 'resync', value: { room: world.there.bytes, head: 3n } });
    await settle();
    expect(world.server.all('pull')).toMatchObject([{ afterSeq: 1n }]);
    expect([world.text(), world.room.state().head]).toEqual(['ab', 3]);
  });

  test('R2: after a reconnect only what lacks is sent', async () => {
    const world = await World.ready();
    await world.othersWrite('b');
    const before = world.doc();
    world.server.cut();
    world.there.losing.add(3);
    world.there.commit(world.others('a'), world.server.sockets[0]!);
    await world.clock.advance(500);
    expect(world.server.all('attach').at(-1)).toMatchObject({ sinceSeq: 2n, epoch: 1n, lineage: 1n });
    expect(world.text()).toBe('ab');
    expect(world.doc()).toBe(before);
  });
});

describe('R8: comparing', () => {
  test('R8: 2 s after it became quiet the digest is compared, once per head', async () => {
    const world = await World.ready();
    await world.othersWrite('a');
    await world.clock.advance(1_999);
    expect(world.server.all('digest')).toEqual([]);
    await world.clock.advance(1);
    expect(world.server.all('digest')).toMatchObject([{ seq: 2n }]);
    await world.clock.advance(130_000);
    expect(world.server.all('digest')).toHaveLength(1);
    expect(world.room.state().repairs).toBe(0);
  });

  test('R8: a room that is never quiet is compared every 60 s', async () => {
    const world = await World.ready();
    for (let i = 0; i < 61; i++) {
      await world.othersWrite('a');
      await world.clock.advance(1_000);
    }
    expect(world.server.all('digest')).toHaveLength(1);
  });

  test('R8: nothing is compared while a change is pending', async () => {
    const world = await World.ready();
    world.there.held = [];
    await world.typed('a');
    await world.clock.advance(10_000);
    expect(world.server.all('digest')).toEqual([]);
    world.there.release();
    await world.clock.advance(2_000);
    expect(world.server.all('digest')).toMatchObject([{ seq: 2n }]);
  });

  test('R8: a differing replica is replaced and counted; what is pending stays', async () => {
    const world = await World.ready();
    await world.othersWrite('a');
    // The server's content parts from ours without our knowing.
    world.there.ydoc.getText('t').insert(1, 'b');
    await world.clock.advance(2_000);
    expect(world.room.state()).toMatchObject({ repairs: 1, generation: 2 });
    expect(world.text()).toBe('ab');
    await world.typed('c');
    expect([world.text(), world.textThere()]).toEqual(['abc', 'abc']);
    await world.clock.advance(60_000);
    expect(world.room.state().repairs).toBe(1);
  });

  test('R8: a repair that crosses with typing keeps what was typed', async () => {
    const world = await World.ready();
    await world.othersWrite('a');
    world.there.held = [];
    await world.typed('z');
    world.there.sendState(world.server.socket(), true);
    await settle();
    expect(world.text()).toContain('z');
    world.there.release();
    await settle();
    expect(world.text()).toBe(world.textThere());
    expect(world.room.state().pending).toBe(0);
  });

  test('L6: an entry that cannot be read brings the content anew, not a broken replica', async () => {
    const world = await World.ready();
    await world.othersWrite('a');
    const bad = { seq: 3n, clientId: 9n, body: { case: 'effect' as const, value: Uint8Array.of(1, 1, 255) } };
    world.there.events(world.server.socket(), [bad]);
    await settle();
    expect(world.text()).toBe('a');
    expect(world.room.state()).toMatchObject({ phase: 'ready', repairs: 1, head: 2 });
  });
});

describe('epoch and lineage', () => {
  test('L8: another lineage: content replaced, unanswered operations kept aside and never sent again', async () => {
    const world = await World.ready();
    await world.othersWrite('old');
    world.there.held = [];
    await world.typed('mine');
    world.server.cut();
    world.there.held = null;
    world.there.ydoc.getText('t').delete(0, world.textThere().length);
    world.there.ydoc.getText('t').insert(0, 'new');
    world.there.lineage = 2;
    const submitted = world.server.submits().length;
    await world.clock.advance(500);
    expect(world.text()).toBe('new');
    expect(world.room.state()).toMatchObject({ generation: 2, pending: 0 });
    expect(world.room.state().tray).toMatchObject([{ reason: { code: 'replaced' }, text: 'mine', canRetry: false }]);
    expect(world.server.submits(submitted)).toEqual([]);
    world.room.retryTrayItem(world.room.state().tray[0]!.id);
    await settle();
    expect(world.server.submits(submitted)).toEqual([]);
  });

  test('R1: another epoch: state taken, unanswered operations sent again under the same numbers', async () => {
    const world = await World.ready();
    world.there.held = [];
    await world.typed('z');
    world.server.cut();
    // The backup does not have the operation.
    world.there.restoreToNothing();
    await world.clock.advance(500);
    await settle();
    expect(world.server.submits().slice(-1)).toEqual(['101:1']);
    expect(world.room.state()).toMatchObject({ generation: 2, pending: 0 });
    expect([world.text(), world.textThere()]).toEqual(['z', 'z']);
  });

  test('R10: a room that is not found, or taken away, is gone; what was unsaved is in the tray', async () => {
    const world = await World.ready();
    world.there.held = [];
    await world.typed('mine');
    world.server.socket().reply({
      case: 'detached',
      value: { room: world.there.bytes, asked: ROOM, why: { code: 'no_access' } },
    });
    await settle();
    expect(world.room.state()).toMatchObject({ phase: 'gone', fault: { code: 'no_access' }, pending: 0 });
    expect(world.room.state().tray).toMatchObject([{ reason: { code: 'no_access' }, text: 'mine' }]);
    const submitted = world.server.submits().length;
    world.room.retryTrayItem(world.room.state().tray[0]!.id);
    expect(world.room.state().tray).toHaveLength(1);
    world.there.held = null;
    world.room.retryNow();
    await settle();
    expect(world.room.state()).toMatchObject({ phase: 'ready', right: 'edit' });
    world.room.retryTrayItem(world.room.state().tray[0]!.id);
    await world.clock.advance(2_000);
    expect([world.room.state().tray, world.room.state().pending, world.textThere()]).toEqual([[], 0, 'mine']);
    expect(world.server.submits(submitted)).toEqual(['101:2']);
  });

  test('L6: a room that cannot be loaded is an error, tried again by itself', async () => {
    const world = new World();
    world.there.fault = 'room_unavailable';
    await settle();
    expect(world.room.state()).toMatchObject({ phase: 'failed', fault: { code: 'room_unavailable' } });
    expect(world.room.doc()).toBeNull();
    world.there.fault = null;
    await world.clock.advance(5_000);
    expect(world.room.state().phase).toBe('ready');
  });

  test('a key that names a room already open shares its session', async () => {
    const world = await World.ready();
    world.there.key = 'plan';
    const byKey = world.connection.open('plan');
    await settle();
    expect(byKey.state().roomId).toBe(ROOM);
    expect(byKey.doc()).toBe(world.room.doc());
  });
});
