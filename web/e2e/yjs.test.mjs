/** Unmodified Yjs clients from npm, alone and in one document with a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

import { blocks, caretAtEnd, open, saved } from './page.mjs';
import { becomes, useWorld } from './world.mjs';

const world = useWorld();

/** A y-websocket client of a person. */
function client(t, person, room) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`${world.server.url.replace('http', 'ws')}/yjs`, room.id, doc, {
    WebSocketPolyfill: WebSocket,
    params: { token: person.token },
    disableBc: true,
    maxBackoffTime: 300,
  });
  const closes = [];
  provider.on('connection-close', (event) => closes.push(event?.code));
  t.after(() => {
    provider.destroy();
    doc.destroy(); // Ends the awareness's timer, too.
  });
  return { doc, provider, closes, text: doc.getText('t') };
}

test('two clients converge, find each other, and a newcomer has it all', async (t) => {
  const lin = await world.person('ylin', { admin: true });
  const an = await world.person('yan');
  const room = await world.room(lin, 'doc', 'Code', { yan: 'edit' });
  const [a, b] = [client(t, lin, room), client(t, an, room)];
  a.provider.awareness.setLocalStateField('user', { name: 'Lin' });
  await becomes('both in step', () => [a.provider.synced, b.provider.synced], [true, true]);
  a.text.insert(0, 'hello ');
  b.text.insert(0, 'world ');
  await becomes('the same on both', () => a.text.length === 12 && a.text.toString() === b.text.toString(), true);
  const name = () => b.provider.awareness.getStates().get(a.doc.clientID)?.user?.name;
  await becomes('who is here', name, 'Lin');
  a.provider.destroy();
  await becomes('gone when the socket ends', name, undefined);
  const c = client(t, an, room);
  await becomes('all of it', () => c.text.toString(), b.text.toString());
});

test('a kill -9 loses nothing, and offline edits come with the reconnection', async (t) => {
  const lin = await world.person('ykill');
  const room = await world.room(lin, 'doc', 'Killed');
  const a = client(t, lin, room);
  await becomes('in step', () => a.provider.synced, true);
  a.text.insert(0, 'before ');
  a.provider.disconnect();
  await becomes('away', () => a.provider.synced, false);
  a.text.insert(0, 'offline ');
  a.provider.connect();
  await becomes('in step again', () => a.provider.synced, true);
  await world.server.killAndRestart();
  a.text.insert(0, 'after ');
  const late = client(t, lin, room);
  await becomes('everything, once', () => late.text.toString(), 'after offline before ');
});

test('who may only read sees all, and is closed for good when writing', async (t) => {
  const lin = await world.person('yowner');
  const eve = await world.person('yreader');
  const room = await world.room(lin, 'doc', 'Read', { yreader: 'read' });
  const [a, b] = [client(t, lin, room), client(t, eve, room)];
  await becomes('both in step', () => [a.provider.synced, b.provider.synced], [true, true]);
  a.text.insert(0, 'seen');
  await becomes('seen', () => b.text.toString(), 'seen');
  b.text.insert(0, 'not mine ');
  await becomes('closed for good', () => b.closes.includes(4403) && !b.provider.shouldConnect, true);
  assert.equal(a.text.toString(), 'seen');
  const stranger = client(t, eve, await world.room(lin, 'doc', 'Secret'));
  await becomes('nothing to see', () => stranger.closes[0], 4404);
  const nobody = client(t, { token: 'nonsense' }, room);
  await becomes('nobody', () => nobody.closes[0], 4401);
});

test('a right that is taken away ends the socket', async (t) => {
  const lin = await world.person('ygive');
  const an = await world.person('ytake');
  const room = await world.room(lin, 'doc', 'Taken', { ytake: 'edit' });
  const b = client(t, an, room);
  await becomes('in step', () => b.provider.synced, true);
  await lin.call('DELETE', `/rooms/${room.id}/grants/ytake`);
  await becomes('closed for good', () => b.closes.includes(4403) && !b.provider.shouldConnect, true);
});

test('a browser and a Yjs client write one document and see each other', async (t) => {
  const lin = await world.person('ymix', { name: 'Lin Yue' });
  const room = await world.room(lin, 'doc', 'Mixed');
  const page = await open(lin, room);
  await caretAtEnd(page);
  await page.keyboard.type('from the browser');
  await saved(page);
  const a = client(t, lin, room);
  const fragment = a.doc.getXmlFragment('default');
  await becomes('the browser’s text', () => fragment.toString().includes('from the browser'), true);
  const paragraph = new Y.XmlElement('paragraph');
  paragraph.insert(0, [new Y.XmlText('from a program')]);
  fragment.insert(fragment.length, [paragraph]);
  await becomes('the program’s text', () => blocks(page), ['from the browser', 'from a program']);
  const names = () => [...a.provider.awareness.getStates().values()].map((state) => state.user?.name);
  await becomes('the browser’s cursor', () => names().includes('Lin Yue'), true);
});
