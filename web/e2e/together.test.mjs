/** Several tabs, several people, one document. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blocks, caretAtEnd, caretAtStart, faces, open, sameBlocks, saved } from './page.mjs';
import { becomes, useWorld } from './world.mjs';

const world = useWorld();

test('two tabs of one person are one face, until the last one closes', async () => {
  const lin = await world.person('lin', { admin: true, name: 'Lin Yue' });
  const an = await world.person('an', { name: 'An Bo' });
  const room = await world.room(lin, 'doc', 'Tabs', { an: 'edit' });
  const watcher = await open(an, room);
  const [one, two] = [await open(lin, room), await open(lin, room)];
  await becomes('one face for two tabs', () => faces(watcher), ['An Bo (you)', 'Lin Yue']);
  await becomes('in their own tabs, too', () => faces(two), ['An Bo', 'Lin Yue (you)']);
  await one.close();
  await caretAtEnd(two);
  await two.keyboard.type('still here');
  await becomes('the other tab works', () => blocks(watcher), ['still here']);
  assert.deepEqual(await faces(watcher), ['An Bo (you)', 'Lin Yue']);
  await two.close();
  await becomes('gone with the last tab', () => faces(watcher), ['An Bo (you)']);
});

test('what is typed in one tab stands in the other', async () => {
  const lin = await world.person('mei');
  const room = await world.room(lin, 'doc', 'Same person');
  const [one, two] = [await open(lin, room), await open(lin, room)];
  await caretAtEnd(one);
  await caretAtEnd(two);
  await Promise.all([
    one.keyboard.type('aaaaaaaa', { delay: 5 }),
    two.keyboard.type('bbbbbbbb', { delay: 5 }),
  ]);
  const both = (line) => line.replace(/[^a]/g, '').length === 8 && line.replace(/[^b]/g, '').length === 8;
  await sameBlocks(one, two, (lines) => lines.length === 1 && both(lines[0]));
});

test('undo takes back only what I did, also after others wrote nearby', async () => {
  const lin = await world.person('wen');
  const an = await world.person('bo');
  const room = await world.room(lin, 'doc', 'Undo', { bo: 'edit' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await caretAtEnd(left);
  await left.keyboard.type('mine ');
  await becomes('mine at the other', () => blocks(right), ['mine ']);
  await caretAtEnd(right);
  await right.keyboard.type('theirs');
  await sameBlocks(left, right, ([line]) => line === 'mine theirs');

  await left.keyboard.press('Control+z');
  await sameBlocks(left, right, ([line]) => line === 'theirs');
  await left.keyboard.press('Control+z');
  await left.keyboard.press('Control+z');
  await saved(left);
  assert.deepEqual(await blocks(right), ['theirs'], 'further undo leaves the other alone');
  await left.keyboard.press('Control+Shift+z');
  await sameBlocks(left, right, ([line]) => line === 'mine theirs');
});

test('what others write moves neither my caret nor my selection', async () => {
  const lin = await world.person('hua');
  const an = await world.person('ming');
  const room = await world.room(lin, 'doc', 'Calm', { ming: 'edit' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await caretAtEnd(left);
  await left.keyboard.type('first');
  await left.keyboard.press('Enter');
  await left.keyboard.type('second');
  await left.keyboard.press('Shift+Home');
  await becomes('both lines', () => blocks(right), ['first', 'second']);
  await caretAtStart(right);
  await right.keyboard.type('more ');
  await becomes('it arrived', () => blocks(left), ['more first', 'second']);
  assert.equal(await left.evaluate(() => String(getSelection())), 'second');
  await left.keyboard.type('mine');
  await sameBlocks(left, right, ([, line]) => line === 'mine');
});
