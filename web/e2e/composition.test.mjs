/** Chinese input while somebody else writes into the same paragraph. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blocks, body, caretAtEnd, caretAtStart, compose, open, sameBlocks, saved } from './page.mjs';
import { becomes, useWorld } from './world.mjs';

const world = useWorld();

test('a composition survives what others type into its paragraph', async () => {
  const lin = await world.person('lin', { admin: true, name: '林月' });
  const an = await world.person('an');
  const room = await world.room(lin, 'doc', '会议', { an: 'edit' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await caretAtEnd(left);
  await left.keyboard.type('end');
  await becomes('the start', () => blocks(right), ['end']);
  await caretAtEnd(left);
  await caretAtStart(right);

  const input = await compose(left);
  await input.show('n');
  await right.keyboard.type('A');
  await input.show('ni');
  await right.keyboard.type('B');
  await input.show('nih');
  await right.keyboard.type('C');
  await saved(right);
  await input.show('nihao');
  assert.deepEqual(await blocks(right), ['ABCend'], 'nothing unfinished reaches others');
  await input.commit('你好');

  await sameBlocks(left, right, (shown) => shown[0] === 'ABCend你好');
  await left.keyboard.type('!');
  await sameBlocks(left, right, (shown) => shown[0] === 'ABCend你好!');
  await Promise.all([saved(left), saved(right)]);
  assert.equal((await lin.textOf(room.id)).trim(), 'ABCend你好!');
});

test('one composition is one step of undo', async () => {
  const lin = await world.person('mei', { name: '陈梅' });
  const room = await world.room(lin, 'doc', '撤销');
  const page = await open(lin, room);
  await body(page).focus();
  const input = await compose(page);
  for (const shown of ['z', 'zh', 'zhongwen']) await input.show(shown);
  await input.commit('中文');
  await becomes('composed', () => blocks(page), ['中文']);
  await page.keyboard.press('Control+z');
  await becomes('undone', () => blocks(page), ['']);
});

test('the Enter that ends a composition does nothing else', async () => {
  const lin = await world.person('wen', { name: '文' });
  const room = await world.room(lin, 'doc', '回车');
  const page = await open(lin, room);
  await body(page).focus();
  const input = await compose(page);
  await input.show('hao');
  await input.enter();
  await input.commit('hao');
  await becomes('one line', () => blocks(page), ['hao']);
});
