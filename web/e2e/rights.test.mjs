/** Rights that change, and sign-ins that end, while a page is open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blocks, caretAtEnd, open, readOnly, saved, signOut } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld();

test('edit becomes view while typing: read-only in place, and nothing arrives afterwards', async () => {
  const lin = await world.person('lin', { admin: true });
  const an = await world.person('an');
  const room = await world.room(lin, 'doc', 'Plan', { an: 'edit' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await caretAtEnd(right);
  await right.keyboard.type('before');
  await becomes('what was typed before arrives', () => blocks(left), ['before']);
  await saved(right);

  let typing = true;
  const typed = (async () => {
    while (typing) await right.keyboard.type('x', { delay: 10 });
  })();
  await lin.call('POST', `/rooms/${room.id}/grants`, { username: 'an', right: 'read' });
  const committed = await lin.textOf(room.id);
  await until('read-only in place', () => readOnly(right));
  typing = false;
  await typed;

  assert.equal(new URL(right.url()).pathname, `/o/${room.id}`, 'the page stays');
  await right.getByText('You can now only view this').first().waitFor();
  await caretAtEnd(left);
  await left.keyboard.type('!');
  await becomes('live for the reader', () => blocks(right), await blocks(left));
  assert.equal((await lin.textOf(room.id)).trim(), `${committed.trim()}!`, 'nothing more of it came');

  await lin.call('POST', `/rooms/${room.id}/grants`, { username: 'an', right: 'edit' });
  await until('editable again in place', async () => !(await readOnly(right)));
});

test('the right is taken away: the page says so and shows nothing more', async () => {
  const lin = await world.person('mei');
  const an = await world.person('bo');
  const room = await world.room(lin, 'doc', 'Secret', { bo: 'read' });
  const [left, right] = [await open(lin, room), await open(an, room)];
  await caretAtEnd(left);
  await left.keyboard.type('seen');
  await becomes('read while one may', () => blocks(right), ['seen']);
  await saved(left);

  await lin.call('DELETE', `/rooms/${room.id}/grants/bo`);
  await right.getByText('You no longer have access to this.').first().waitFor();
  await left.keyboard.type(' unseen');
  await saved(left);
  assert.ok(!(await right.content()).includes('unseen'), 'nothing that came after is shown');
  await right.reload();
  await right.getByText("This doesn't exist, or you don't have access.").first().waitFor();
});

test('three in one document: one loses a right, one gains it, and each feels it at once', async () => {
  const [hua, jun, ke] = [await world.person('hua'), await world.person('jun'), await world.person('ke')];
  const room = await world.room(hua, 'doc', 'Minutes', { jun: 'edit', ke: 'read' });
  const grant = (username, right) => hua.call('POST', `/rooms/${room.id}/grants`, { username, right });
  const [owner, second, third] = [await open(hua, room), await open(jun, room), await open(ke, room)];
  assert.deepEqual([await readOnly(owner), await readOnly(second), await readOnly(third)], [false, false, true]);
  const all = async (pages, text) => {
    for (const page of pages) await becomes('what stands there', () => blocks(page), [text]);
  };
  await caretAtEnd(second);
  await second.keyboard.type('one');
  await saved(second);
  await all([owner, second, third], 'one');

  await grant('jun', 'read');
  await grant('ke', 'edit');
  await until('who lost it reads', () => readOnly(second));
  await until('who gained it writes', async () => !(await readOnly(third)));
  for (const [page, text] of [[third, ' two'], [owner, ' three']]) {
    await caretAtEnd(page);
    await page.keyboard.type(text);
    await saved(page);
  }
  await all([owner, second, third], 'one two three');

  await hua.call('DELETE', `/rooms/${room.id}/grants/jun`);
  await second.getByText('You no longer have access to this.').first().waitFor();
  await caretAtEnd(third);
  await third.keyboard.type('!');
  await saved(third);
  await all([owner, third], 'one two three!');
  assert.ok(!(await second.content()).includes('three!'), 'nothing that came after is shown');
  assert.equal((await hua.textOf(room.id)).trim(), 'one two three!');
});

test('who may only view has no dead buttons', async () => {
  const lin = await world.person('wen');
  const an = await world.person('yu');
  const room = await world.room(lin, 'doc', 'Read me', { yu: 'read' });
  const page = await open(an, room);
  await page.getByText('View only', { exact: true }).first().waitFor();
  assert.equal(await page.getByRole('toolbar', { name: 'Formatting' }).count(), 0);
  assert.equal(await readOnly(page), true);
});

test('signing out in one tab ends the others', async () => {
  const lin = await world.person('zhou');
  const room = await world.room(lin, 'doc', 'Two tabs');
  const [one, two] = [await open(lin, room), await open(lin, room)];
  await signOut(one);
  await one.waitForURL(/\/signin/);
  await two.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
  const answer = await lin.context.request.get('/api/v1/auth/me');
  assert.equal(answer.status(), 401);
});
