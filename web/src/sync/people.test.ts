import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { faces } from './people';
import { settle } from './testing/clock';
import { ME } from './testing/me';
import { World } from './testing/world';
import { idFromText } from './ids';
import type { Peer } from './types';

const AN = '0000000000000000000000000a';

const peer = (sessionId: number, personId: string, color: number, data: unknown = null): Peer => ({
  sessionId,
  personId,
  name: personId === ME ? 'Lin Yue' : 'An Bo',
  guest: false,
  color,
  data,
});

describe('faces', () => {
  test('several sessions of one person are one face; mine is flagged', () => {
    const peers = [peer(2, AN, 2, { idle: true }), peer(3, ME, 1), peer(4, AN, 2, { idle: false })];
    expect(faces(peers, { id: ME, name: 'Lin Yue' }, 1)).toEqual([
      { personId: ME, name: 'Lin Yue', guest: false, color: 1, me: true, sessions: [3], idle: false },
      { personId: AN, name: 'An Bo', guest: false, color: 2, me: false, sessions: [2, 4], idle: false },
    ]);
    expect(faces([peer(2, AN, 2, { idle: true })], null, 0)).toMatchObject([{ personId: AN, idle: true }]);
  });

  test('come and go with Peers; my own session is not a peer', async () => {
    const world = await World.ready();
    const socket = world.server.socket();
    const here = (sessionId: number, id: string): object => ({
      sessionId: BigInt(sessionId), personId: idFromText(id), name: 'N', color: 2, data: new Uint8Array(),
    });
    socket.reply({
      case: 'peers',
      value: { room: world.there.bytes, here: [here(7, AN), here(8, AN), here(socket.sessionId, ME)], left: [] },
    });
    await settle();
    expect(world.room.state().peers.map(({ sessionId }) => sessionId)).toEqual([7, 8]);
    expect(world.room.state().faces).toMatchObject([{ me: true }, { personId: AN, sessions: [7, 8] }]);
    socket.reply({ case: 'peers', value: { room: world.there.bytes, here: [], left: [7n, 8n] } });
    await settle();
    expect(world.room.state().faces).toMatchObject([{ me: true }]);
  });
});

describe('cursors of a document', () => {
  const says = (world: World): unknown[] =>
    world.server.all('presence').map(({ data }) => JSON.parse(new TextDecoder().decode(data)) as unknown);

  test('mine is sent as relative positions, the latest only, and again after a reconnect', async () => {
    const world = await World.ready();
    await world.typed('hello');
    const { awareness, ydoc } = world.doc();
    const at = (index: number): Y.RelativePosition => Y.createRelativePositionFromTypeIndex(ydoc.getText('t'), index);
    for (const index of [1, 2, 3]) awareness.setLocalStateField('cursor', { anchor: at(index), head: at(index) });
    await world.clock.advance(200);
    const clientId = ydoc.clientID;
    const json = Y.relativePositionToJSON(at(3)) as unknown;
    const last = { clientId, anchor: json, head: json, idle: false };
    expect(says(world)).toHaveLength(2);
    expect(says(world).at(-1)).toEqual(last);
    awareness.setLocalStateField('user', { name: 'x' });
    await world.clock.advance(200);
    expect(says(world)).toHaveLength(2);
    world.server.cut();
    await world.clock.advance(1_000);
    expect(says(world)).toHaveLength(3);
    expect(says(world).at(-1)).toEqual(last);
  });

  test('others\' appear with name, colour number and person, change, and go', async () => {
    const world = await World.ready();
    const { awareness } = world.doc();
    const position = { type: null, tname: 't', item: null, assoc: 0 };
    const changes: unknown[] = [];
    awareness.on('change', (change: unknown, origin: unknown) => changes.push([origin, change]));
    const say = async (data: unknown): Promise<void> => {
      const bytes = new TextEncoder().encode(JSON.stringify(data));
      const here = [{ sessionId: 7n, personId: idFromText(AN), name: 'An Bo', color: 2, data: bytes }];
      world.server.socket().reply({ case: 'peers', value: { room: world.there.bytes, here } });
      await settle();
    };
    await say({ clientId: 42, anchor: position, head: position, idle: false });
    expect(awareness.getStates().get(42)).toEqual({
      user: { name: 'An Bo', color: 2, personId: AN },
      cursor: { anchor: position, head: position },
      idle: false,
    });
    await say({ clientId: 42, anchor: null, head: null, idle: true });
    expect(awareness.getStates().get(42)).toMatchObject({ cursor: null, idle: true });
    await say({ clientId: 'x', anchor: { item: 'evil' }, head: 3 });
    expect(awareness.getStates().has(42)).toBe(false);
    expect(changes).toEqual([
      ['remote', { added: [42], updated: [], removed: [] }],
      ['remote', { added: [], updated: [42], removed: [] }],
      ['remote', { added: [], updated: [], removed: [42] }],
    ]);
  });
});
