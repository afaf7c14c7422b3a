/** What only Hocuspocus has: many documents a socket, sessions, scopes, stateless messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HocuspocusProvider } from '@hocuspocus/provider';
import * as Y from 'yjs';

import { becomes, useWorld } from './world.mjs';
import { clients, websocket } from './yjs-clients.mjs';

const world = useWorld();

function provider(t, websocketProvider, person, name, more = {}) {
  const made = new HocuspocusProvider({
    websocketProvider,
    name,
    document: new Y.Doc(),
    token: person.token,
    ...more,
  });
  made.attach();
  t.after(() => {
    made.destroy();
    made.document.destroy();
  });
  return made;
}

test('documents and sessions of one document share a socket', async (t) => {
  const lin = await world.person('lin');
  const [one, two] = [await world.room(lin, 'doc', 'One'), await world.room(lin, 'doc', 'Two')];
  const socket = websocket(t, world.server);
  const sessions = { sessionAwareness: true };
  const a = provider(t, socket, lin, one.id, sessions);
  const b = provider(t, socket, lin, one.id, sessions);
  const c = provider(t, socket, lin, two.id, sessions);
  await becomes('in step', () => [a.synced, b.synced, c.synced], [true, true, true]);
  a.document.getText('t').insert(0, 'one');
  c.document.getText('t').insert(0, 'two');
  await becomes('on the other session', () => b.document.getText('t').toString(), 'one');
  await becomes('saved', () => [a, b, c].some((p) => p.hasUnsyncedChanges), false);
  assert.equal(c.document.getText('t').toString(), 'two');
  a.destroy();
  b.document.getText('t').insert(0, 'still ');
  await becomes('saved', () => b.hasUnsyncedChanges, false);
  assert.equal(await lin.textOf(one.id), '\nstill one');
  await world.server.killAndRestart();
  b.document.getText('t').insert(0, 'and ');
  await becomes('after a restart', () => lin.textOf(one.id), '\nand still one');
});

test('a provider knows what it may do, hears of changes, and what was refused comes later', async (t) => {
  const lin = await world.person('owner');
  const eve = await world.person('reader');
  const room = await world.room(lin, 'doc', 'Read', { reader: 'read' });
  const b = clients['Hocuspocus 4.8'](t, world.server, eve, room.id);
  await becomes('readonly', () => b.provider.authorizedScope, 'readonly');
  await becomes('in step', () => b.isSaved(), true);
  b.text.insert(0, 'early ');
  await lin.call('POST', `/rooms/${room.id}/grants`, { username: 'reader', right: 'edit' });
  await becomes('read-write', () => b.provider.authorizedScope, 'read-write');
  await becomes('stored after all', () => lin.textOf(room.id), '\nearly ');
  await becomes('saved', () => b.isSaved(), true);
  await lin.call('DELETE', `/rooms/${room.id}/grants/reader`);
  await becomes('told why', () => b.refusals, ['no_access']);
  assert.deepEqual([b.provider.isAuthenticated, b.provider.synced], [false, false]);
  const nobody = clients['Hocuspocus 4.8'](t, world.server, { token: 'nonsense' }, room.id);
  await becomes('nobody', () => nobody.refusals[0], 'not_signed_in');
});
