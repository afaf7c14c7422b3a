/** Every protocol for Yjs clients, by the same tests: alone, together, slow disks, kill -9, rights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';

import * as Y from 'yjs';

import { blocks, caretAtEnd, open, saved } from './page.mjs';
import { becomes, useWorld } from './world.mjs';
import { clients, holdCommits } from './yjs-clients.mjs';

const world = useWorld();
let count = 0;

/** A document of somebody, and who else may do what in it. */
async function document(rights = []) {
  count += 1;
  const lin = await world.person(`lin${count}`, { name: 'Lin Yue' });
  const others = {};
  const people = [];
  for (const right of rights) {
    const person = await world.person(`${right}${count}x${people.length}`);
    others[person.username] = right;
    people.push(person);
  }
  const room = await world.room(lin, 'doc', 'Code', others);
  return { lin, people, room };
}

/** Longer than y-sweet’s client waits for a word, shorter than the server’s writer for its lock. */
const stallMs = 7_000;

/** What a client shows while commits are held; whoever says "saved" is named. */
async function nobodySays(all, ms) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    for (const [name, client] of all) assert.equal(client.isSaved(), false, `${name} says saved`);
    await later(20);
  }
}

for (const [name, make] of Object.entries(clients)) {
  test(`${name}: two clients converge, find each other, and a newcomer has it all`, async (t) => {
    const { lin, people, room } = await document(['edit']);
    const [a, b] = [make(t, world.server, lin, room.id), make(t, world.server, people[0], room.id)];
    a.awareness.setLocalStateField('user', { name: 'Lin' });
    await becomes('both in step', () => [a.isSynced(), b.isSynced()], [true, true]);
    a.text.insert(0, 'hello ');
    b.text.insert(0, 'world ');
    await becomes('the same', () => a.text.length === 12 && a.text.toString() === b.text.toString(), true);
    await becomes('saved', () => [a.isSaved(), b.isSaved()], [true, true]);
    const names = () => [...b.awareness.getStates().values()].map((state) => state.user?.name);
    await becomes('who is here', () => names().includes('Lin'), true);
    const c = make(t, world.server, lin, room.id);
    await becomes('all of it', () => c.text.toString(), a.text.toString());
    a.disconnect();
    await becomes('gone when the socket ends', () => names().includes('Lin'), false);
  });

  test(`${name}: what was called saved survives kill -9, and offline edits come along`, async (t) => {
    const { lin, room } = await document();
    const a = make(t, world.server, lin, room.id);
    await becomes('in step', () => a.isSynced(), true);
    a.text.insert(0, 'before ');
    await becomes('saved', () => a.isSaved(), true);
    await world.server.killAndRestart();
    a.text.insert(0, 'after ');
    await becomes('on the server', () => lin.textOf(room.id), '\nafter before ');
    await becomes('saved again', () => a.isSaved(), true);
  });

  test(`${name}: what was typed on top of what the server never stored comes along with it`, async (t) => {
    const { lin, room } = await document();
    const a = make(t, world.server, lin, room.id);
    await becomes('in step', () => a.isSynced(), true);
    a.text.insert(0, 'start ');
    await becomes('saved', () => a.isSaved(), true);
    const release = await holdCommits(t, world.server);
    a.text.insert(0, 'lost ');
    await world.server.killAndRestart(async () => {
      await becomes('away', () => a.isSynced(), false);
      for (const word of ['one ', 'two ']) a.text.insert(0, word);
      await release();
    });
    await becomes('on the server', () => lin.textOf(room.id), '\ntwo one lost start ');
    await becomes('saved', () => a.isSaved(), true);
  });

  test(`${name}: coming back with offline edits, nothing is saved before they are`, async (t) => {
    const { lin, room } = await document();
    const a = make(t, world.server, lin, room.id);
    await becomes('in step', () => a.isSynced(), true);
    a.text.insert(0, 'start ');
    await becomes('saved', () => a.isSaved(), true);
    a.disconnect();
    // Some clients take no `connect` until they know that the socket is closed.
    await becomes('away', () => a.isSynced(), false);
    for (const word of ['one ', 'two ', 'three ']) a.text.insert(0, word);
    a.text.delete(0, 2);
    const release = await holdCommits(t, world.server);
    a.connect();
    await becomes('the offline edits have met the server', () => a.isSynced(), true);
    await nobodySays([[name, a]], 1_500);
    a.text.insert(0, 'live ');
    await nobodySays([[name, a]], 500);
    await release();
    await becomes('saved', () => a.isSaved(), true);
    assert.equal(await lin.textOf(room.id), '\nlive ree two one start ');
  });

  test(`${name}: who may only read changes nothing, and a right taken away is gone`, async (t) => {
    const { lin, people, room } = await document(['read']);
    const [a, b] = [make(t, world.server, lin, room.id), make(t, world.server, people[0], room.id)];
    await becomes('both in step', () => [a.isSynced(), b.isSynced()], [true, true]);
    a.text.insert(0, 'seen ');
    await becomes('seen', () => b.text.toString(), 'seen ');
    await becomes('nothing to save', () => b.isSaved(), true);
    b.text.insert(0, 'not mine ');
    a.text.insert(0, 'more ');
    await becomes('stored without the other', () => a.isSaved(), true);
    assert.equal(await lin.textOf(room.id), '\nmore seen ');
    assert.equal(b.isSaved(), false);
    await lin.call('DELETE', `/rooms/${room.id}/grants/${people[0].username}`);
    a.text.insert(0, 'secret ');
    await becomes('saved', () => a.isSaved(), true);
    assert.equal(b.text.toString().includes('secret'), false);
    assert.equal(b.isSaved(), false);
  });

  test(`${name}: a right that is taken away while a change waits for the disk`, async (t) => {
    const { lin, people, room } = await document(['edit', 'edit']);
    const [a, b, c] = [lin, ...people].map((person) => make(t, world.server, person, room.id));
    await becomes('all in step', () => [a, b, c].map((client) => client.isSynced()), [true, true, true]);
    c.text.insert(0, 'base ');
    await becomes('saved', () => [a, b, c].map((client) => client.isSaved()), [true, true, true]);
    await becomes('with all', () => [a, b].map((client) => client.text.toString()), ['base ', 'base ']);
    const release = await holdCommits(t, world.server);
    // What a client says of itself after its change passes the room after the change.
    const mark = async (client) => {
      client.awareness.setLocalStateField('mark', 'edited');
      const seen = () => c.awareness.getStates().get(client.doc.clientID)?.mark;
      await becomes('the room has the change', seen, 'edited');
    };
    a.text.insert(0, 'kept ');
    await mark(a); // On its way to the disk, and held; the next one waits in the room.
    b.text.insert(0, 'late ');
    await mark(b);
    // Answered once it is on the disk, too.
    const revoked = lin.call('DELETE', `/rooms/${room.id}/grants/${people[0].username}`);
    const withRights = async () => (await lin.call('GET', `/rooms/${room.id}/people`)).people.length;
    await becomes('revoked', withRights, 2);
    await nobodySays([[name, a], [name, b]], 500);
    await release();
    await revoked;
    await becomes('saved', () => a.isSaved(), true);
    await nobodySays([[name, b]], 1_000);
    c.text.insert(0, 'more ');
    await becomes('who may edit goes on', () => c.isSaved(), true);
    await becomes('the same', () => a.text.toString(), c.text.toString());
    assert.equal(await lin.textOf(room.id), '\nmore kept base ');
    assert.equal(a.text.toString(), 'more kept base ');
    await nobodySays([[name, b]], 500);
  });
}

test('a slow disk: no client says saved too early, and none gives up', async (t) => {
  const { lin, room } = await document();
  const all = Object.entries(clients).map(([name, make]) => [name, make(t, world.server, lin, room.id)]);
  const states = (state) => () => all.map(([, client]) => client[state]());
  const yes = all.map(() => true);
  for (const [, client] of all) {
    await becomes('in step', () => client.isSynced(), true);
    client.text.insert(0, 'x');
  }
  await becomes('saved', states('isSaved'), yes);
  const closes = all.map(([, client]) => client.closes);
  const release = await holdCommits(t, world.server);
  for (const [, client] of all) client.text.insert(0, 'y');
  await nobodySays(all, stallMs);
  await release();
  await becomes('saved', states('isSaved'), yes);
  await becomes('the same for all', () => new Set(all.map(([, c]) => c.text.toString())).size, 1);
  assert.deepEqual(all.map(([, client]) => client.closes), closes);
  assert.equal((await lin.textOf(room.id)).length, 9);
});

test('all protocols and a browser write one document and see each other', async (t) => {
  const { lin, room } = await document();
  const page = await open(lin, room);
  await caretAtEnd(page);
  await page.keyboard.type('from the browser');
  await saved(page);
  const lines = ['from the browser'];
  for (const [name, make] of Object.entries(clients)) {
    const client = make(t, world.server, lin, room.id);
    await becomes('in step', () => client.isSynced(), true);
    const fragment = client.doc.getXmlFragment('default');
    await becomes('what the others wrote', () => fragment.length, lines.length);
    const paragraph = new Y.XmlElement('paragraph');
    paragraph.insert(0, [new Y.XmlText(`from ${name}`)]);
    fragment.insert(fragment.length, [paragraph]);
    lines.push(`from ${name}`);
    await becomes('in the browser', () => blocks(page), lines);
    const names = () => [...client.awareness.getStates().values()].map((state) => state.user?.name);
    await becomes('the browser’s cursor', () => names().includes('Lin Yue'), true);
    await becomes('saved', () => client.isSaved(), true);
  }
  await world.server.killAndRestart();
  await page.reload();
  await becomes('all of it', () => blocks(page), lines);
});
