/** "Saved" is a promise, and what is typed without a connection is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  blocks,
  body,
  caretAtEnd,
  caretAtStart,
  holdServer,
  open,
  sameBlocks,
  saved,
  saving,
  watchSaving,
} from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld();

test('"Saved" never stands there before the acknowledgement', async () => {
  const lin = await world.person('lin', { admin: true });
  const room = await world.room(lin, 'doc', 'Promise');
  const page = await lin.context.newPage();
  const server = await holdServer(page);
  await open(lin, room, { page });
  await saved(page);

  server.hold();
  await caretAtEnd(page);
  await page.keyboard.type('is it there yet');
  await becomes('saving', () => saving(page), 'Saving…');
  const said = await watchSaving(page);
  await until('still saving', async () => /^Still saving \d+ changes?…$/.test(await saving(page)));
  assert.deepEqual((await said()).filter((words) => words === 'Saved'), []);
  server.release();
  await saved(page);
  assert.equal((await lin.textOf(room.id)).trim(), 'is it there yet');
});

test('written offline, sent on return, merged with the other', async () => {
  const lin = await world.person('mei');
  const an = await world.person('an');
  const room = await world.room(lin, 'doc', 'Train', { an: 'edit' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await caretAtEnd(left);
  await left.keyboard.type('start');
  await becomes('both start', () => blocks(right), ['start']);
  await saved(left);

  await lin.context.setOffline(true);
  await left.keyboard.type(' from the train');
  // The socket only falls silent: that is noticed after two heartbeats.
  const offline = /^Offline · \d+ changes? kept in this browser$/;
  await until('offline is said, with what waits', async () => offline.test(await saving(left)), 45_000);
  await caretAtStart(right);
  await right.keyboard.type('meanwhile ');
  await saved(right);
  assert.deepEqual(await blocks(right), ['meanwhile start']);

  await lin.context.setOffline(false);
  await sameBlocks(left, right, (shown) => shown[0] === 'meanwhile start from the train');
  await saved(left);
  assert.equal((await an.textOf(room.id)).trim(), 'meanwhile start from the train');
});

test('written offline and reloaded: sent once the connection is back', async () => {
  const lin = await world.person('wen');
  const room = await world.room(lin, 'doc', 'Tunnel');
  const page = await lin.context.newPage();
  const server = await holdServer(page);
  await open(lin, room, { page });
  await saved(page);
  server.cut();
  await caretAtEnd(page);
  await page.keyboard.type('kept');
  await until('offline', async () => (await saving(page)).startsWith('Offline · '));
  await page.reload();
  await page.getByText('You are offline').first().waitFor();
  assert.equal(await page.locator('.ProseMirror').count(), 0, 'never an empty editor');
  await server.mend();
  await becomes('still there', () => blocks(page), ['kept']);
  await saved(page);
  assert.equal((await lin.textOf(room.id)).trim(), 'kept');
});

test('the server is killed and comes back: nothing saved is gone, nothing typed is lost', async () => {
  const lin = await world.person('yu');
  const room = await world.room(lin, 'doc', 'Power cut');
  const page = await open(lin, room);
  await caretAtEnd(page);
  await page.keyboard.type('saved before');
  await saved(page);
  await page.keyboard.type(', typed while it dies', { delay: 5 });
  await world.server.killAndRestart();
  await saved(page);
  await body(page).focus();
  assert.equal((await lin.textOf(room.id)).trim(), 'saved before, typed while it dies');
});

test('what has not arrived yet is said to be opening, and is never an empty editor', async () => {
  const lin = await world.person('hua');
  const room = await world.room(lin, 'doc', 'Slow');
  const page = await lin.context.newPage();
  const server = await holdServer(page);
  server.cut();
  await page.goto(`/o/${room.id}`);
  await page.getByText(/^(Opening…|This takes longer than usual|You are offline)/).first().waitFor();
  assert.equal(await page.locator('.ProseMirror').count(), 0);
  await server.mend();
  await body(page).waitFor();
  await saved(page);
});
