import { test } from 'node:test';
import { open, order } from './page.mjs';
import { useWorld } from './world.mjs';
const world = useWorld();
test('x', async () => {
  const lin = await world.person('lin', { admin: true });
  const an = await world.person('an');
  const room = await world.room(lin, 'order', 'Friday lunch', { an: 'edit' });
  const page = await lin.context.newPage();
  page.on('console', (m) => console.log('console', m.text())); page.on('pageerror', (e) => console.log('pageerror', e));
  const t0 = Date.now();
  await open(lin, room, { page });
  console.log('open', Date.now() - t0);
  await order.addLine(page, { name: 'Soup', price: '6.50', stock: '1' });
  await page.screenshot({ path: '/tmp/exp/order.png' });
  for (let i = 0; i < 4; i++) {
    const room2 = await world.room(lin, 'doc', 'D' + i, { an: 'read' });
    const t1 = Date.now();
    const p2 = await an.context.newPage();
    p2.on('console', (m) => console.log('console', m.text())); p2.on('pageerror', (e) => console.log('pageerror', e));
    try { await open(an, room2, { page: p2 }); console.log('ok', Date.now() - t1); } catch (e) { console.log('FAIL', e.message.split('\n')[0]); await p2.screenshot({ path: `/tmp/exp/doc${i}.png` }); }
  }
  console.log(world.server.said.slice(-30).join('\n'));
});
