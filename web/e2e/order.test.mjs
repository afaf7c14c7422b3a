/** Group orders: one list, several people at once, and the server's sums. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { holdServer, open, order } from './page.mjs';
import { becomes, useWorld } from './world.mjs';

const world = useWorld();

test('two people press + for the last one: one gets it, the other is told', async () => {
  const lin = await world.person('lin', { admin: true });
  const an = await world.person('an');
  const room = await world.room(lin, 'order', 'Friday lunch', { an: 'edit' });
  const [left, right] = [await lin.context.newPage(), await an.context.newPage()];
  const servers = [await holdServer(left), await holdServer(right)];
  await Promise.all([open(lin, room, { page: left }), open(an, room, { page: right })]);
  const sums = () => Promise.all([order.total(left), order.total(right)]);
  await order.addLine(left, { name: 'Soup', price: '6.50', stock: '1' });
  await order.addLine(left, { name: 'Noodles', price: '18' });
  await order.more(right, 'Noodles').waitFor();

  // Neither hears of the other before both have pressed.
  for (const server of servers) server.hold();
  await Promise.all([order.more(left, 'Soup').click(), order.more(right, 'Soup').click()]);
  assert.deepEqual(await sums(), ['0 items ¥0.00', '0 items ¥0.00'], 'sums are the server’s');
  for (const server of servers) server.release();
  await becomes('the sums', sums, ['1 item ¥6.50', '1 item ¥6.50']);
  const told = (page) => page.getByText('Sold out: the last one was just taken').count();
  const mine = (page) => order.mine(page, 'Soup');
  const has = async (page) => `has ${await mine(page)}, told ${await told(page)}`;
  const outcome = async () =>
    (await Promise.all([left, right].map(has))).sort();
  await becomes('exactly one has it, exactly the other is told', outcome, ['has 0, told 1', 'has 1, told 0']);

  const presses = [left, left, left, right, right].map((page) => () => order.more(page, 'Noodles').click());
  await Promise.all(presses.map((press) => press()));
  await becomes('the sums', sums, ['6 items ¥96.50', '6 items ¥96.50']);
  await order.less(left, 'Noodles').click();
  await becomes('the sums', sums, ['5 items ¥78.50', '5 items ¥78.50']);

  await left.reload();
  await becomes('the sum after a reload', sums, ['5 items ¥78.50', '5 items ¥78.50']);
});

test('submitted, opened again, closed: both see it at once', async () => {
  const wen = await world.person('wen');
  const bo = await world.person('bo');
  const room = await world.room(wen, 'order', 'Tea', { bo: 'edit' });
  const [left, right] = [await open(wen, room), await open(bo, room)];
  const sums = () => Promise.all([order.total(left), order.total(right)]);
  const status = () => Promise.all([order.status(left), order.status(right)]);
  await order.addLine(left, { name: 'Tea', price: '3' });
  await order.more(right, 'Tea').click();
  await becomes('the sums', sums, ['1 item ¥3.00', '1 item ¥3.00']);

  await order.submit(left).click();
  await becomes('submitted', status, ['submitted', 'submitted']);
  assert.equal(await order.more(right, 'Tea').count(), 0, 'no button that would be refused');

  await order.reopen(left).click();
  await becomes('open again', status, ['open', 'open']);
  await order.more(right, 'Tea').click();
  await becomes('the sums', sums, ['2 items ¥6.00', '2 items ¥6.00']);

  await order.submit(left).click();
  await becomes('submitted', status, ['submitted', 'submitted']);
  await order.closeForGood(left);
  await becomes('closed', status, ['closed', 'closed']);
  await right.getByText('This order is closed').first().waitFor();
  assert.equal(await order.more(right, 'Tea').count(), 0);
  assert.deepEqual(await sums(), ['2 items ¥6.00', '2 items ¥6.00']);
});
