/** Group orders: one list, several people at once, and the server's sums. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, order } from './page.mjs';
import { becomes, useWorld } from './world.mjs';

const world = useWorld();

test('two people press + for the last one: one gets it, the other is told', async () => {
  const lin = await world.person('lin', { admin: true });
  const an = await world.person('an');
  const room = await world.room(lin, 'order', 'Friday lunch', { an: 'edit' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await order.addLine(left, { name: 'Soup', price: '6.50', stock: '1' });
  await order.addLine(left, { name: 'Noodles', price: '18' });
  await order.more(right, 'Noodles').waitFor();

  await Promise.all([order.more(left, 'Soup').click(), order.more(right, 'Soup').click()]);
  await becomes('the sums', () => Promise.all([order.total(left), order.total(right)]), [
    'Total 1 item ¥6.50',
    'Total 1 item ¥6.50',
  ]);
  const told = await Promise.all(
    [left, right].map((page) => page.getByText('Sold out: the last one was just taken').count()),
  );
  assert.deepEqual(told.map((count) => count > 0).sort(), [false, true], 'exactly one is told');
  const mine = await Promise.all([order.mine(left, 'Soup'), order.mine(right, 'Soup')]);
  assert.deepEqual(mine.sort(), [0, 1], 'exactly one has it');

  await Promise.all([
    ...Array.from({ length: 3 }, () => order.more(left, 'Noodles')),
    ...Array.from({ length: 2 }, () => order.more(right, 'Noodles')),
  ].map((button) => button.click()));
  await becomes('the sums', () => Promise.all([order.total(left), order.total(right)]), [
    'Total 6 items ¥96.50',
    'Total 6 items ¥96.50',
  ]);
  await order.less(left, 'Noodles').click();
  await becomes('the sums', () => Promise.all([order.total(left), order.total(right)]), [
    'Total 5 items ¥78.50',
    'Total 5 items ¥78.50',
  ]);

  await left.reload();
  await becomes('the sum after a reload', () => order.total(left), 'Total 5 items ¥78.50');
});

test('submitted, opened again, closed: both see it at once', async () => {
  const lin = await world.person('wen');
  await world.person('bo').then(async (bo) => {
    const room = await world.room(lin, 'order', 'Tea', { bo: 'edit' });
    const [left, right] = [await open(lin, room), await open(bo, room)];
    await order.addLine(left, { name: 'Tea', price: '3' });
    await order.more(right, 'Tea').click();
    await becomes('the sum', () => order.total(left), 'Total 1 item ¥3.00');

    await order.submit(left).click();
    await right.getByText('Submitted', { exact: true }).first().waitFor();
    await order.more(right, 'Tea').waitFor({ state: 'hidden' });

    await order.reopen(left).click();
    await order.more(right, 'Tea').click();
    await becomes('the sum', () => order.total(left), 'Total 2 items ¥6.00');

    await order.submit(left).click();
    await order.closeForGood(left);
    await right.getByText('This order is closed').first().waitFor();
    await order.more(right, 'Tea').waitFor({ state: 'hidden' });
    await becomes('the sum stays', () => order.total(right), 'Total 2 items ¥6.00');
  });
});
