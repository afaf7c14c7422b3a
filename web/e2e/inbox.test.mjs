/** The inbox: what others do is told live on all of one's tabs, answered in place, and read once opened. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { blocks, body, caretAtEnd, compose, open, saved } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld();

/** What the badge of the inbox says; empty: there is none. */
const badge = async (page) => {
  const shown = page.getByTestId('inbox-badge');
  return (await shown.count()) === 0 ? '' : shown.first().innerText();
};

const notices = (page) => page.getByTestId('notices').locator('li');

/** Somebody's page that shows Home, with the badge that the inbox has. */
async function atHome(person) {
  const page = await person.context.newPage();
  await page.goto('/home');
  await page.getByRole('heading', { name: 'Home' }).waitFor();
  return page;
}

test('an invitation shows on two tabs, is agreed to in the inbox, and is gone from both', async () => {
  const an = await world.person('an', { name: 'An Bo' });
  const mei = await world.person('mei', { name: '林月' });
  const [one, two] = [await atHome(mei), await atHome(mei)];
  assert.equal(await badge(one), '');
  const space = await an.call('POST', '/spaces', { name: 'Design team' });
  await an.call('POST', `/spaces/${space.id}/members`, { username: 'mei', role: 'editor' });
  await becomes('the badge of the first tab', () => badge(one), '1');
  await becomes('the badge of the second tab', () => badge(two), '1');
  await becomes('the title', () => two.title(), '(1) Home · Weft');

  await one.getByRole('link', { name: /Inbox.*new: 1/ }).click();
  await one.getByText('An Bo invites you to the space “Design team”').waitFor();
  await shoot(one, 'inbox-invitation');
  await one.getByRole('button', { name: 'Agree' }).click();
  await one.getByText('You agreed').waitFor();
  await becomes('the badge of the second tab', () => badge(two), '');
  await becomes('the badge of the first tab', () => badge(one), '');
  const members = async () =>
    (await an.call('GET', `/spaces/${space.id}/members`)).members.map(({ username, state }) => [username, state]);
  await becomes('the members', members, [['an', 'member'], ['mei', 'member']]);

  await an.call('DELETE', `/spaces/${space.id}/members/mei`);
  await one.getByText('An Bo removed you from the space “Design team”').waitFor();
  await becomes('the badge of the second tab', () => badge(two), '1');
});

test('who asks for access is let in, and their page opens by itself', async () => {
  const bo = await world.person('bo');
  const wen = await world.person('wen');
  const doc = await world.room(wen, 'doc', 'Q4 plan');
  const page = await bo.context.newPage();
  await page.goto(`/o/${doc.id}`);
  await page.getByText("This doesn't exist, or you don't have access.").waitFor();
  await page.getByRole('button', { name: 'Ask for access' }).click();
  await page.getByText('Request sent').waitFor();

  const boss = await atHome(wen);
  await becomes('the badge', () => badge(boss), '1');
  await boss.goto('/inbox');
  await boss.getByText('bo asks to open “Q4 plan”').waitFor();
  await shoot(boss, 'inbox-request');
  await boss.getByRole('combobox', { name: 'Right of bo' }).selectOption('edit');
  await boss.getByRole('button', { name: 'Allow' }).click();
  await boss.getByText('Allowed').waitFor();
  await body(page).waitFor();
  await caretAtEnd(page);
  await page.keyboard.type('thanks');
  await saved(page);

  // What one looks at has been read.
  await becomes('the badge of who asked', () => badge(page), '');
  await page.goto('/inbox');
  await page.getByText('wen let you open “Q4 plan”').waitFor();

  // Nothing is told of what is not there.
  await page.goto('/o/00000000000000000000000000');
  await page.getByRole('button', { name: 'Ask for access' }).click();
  await page.getByText('Request sent').waitFor();
});

test('a request is answered in the Share dialog, too', async () => {
  const hua = await world.person('hua');
  const lei = await world.person('lei');
  const doc = await world.room(hua, 'doc', 'Budget');
  await lei.call('POST', `/rooms/${doc.id}/access-requests`);
  const boss = await open(hua, doc);
  await boss.getByRole('button', { name: 'Share' }).click();
  const dialog = boss.getByRole('dialog');
  const asks = dialog.getByTestId('share-requests');
  await asks.getByText('lei').first().waitFor();
  await shoot(boss, 'share-request');
  assert.deepEqual(await axe(boss), []);
  await asks.getByRole('button', { name: 'Decline' }).click();
  await asks.waitFor({ state: 'hidden' });
  const page = await lei.context.newPage();
  await page.goto('/inbox');
  await page.getByText('hua declined a request of yours for access').waitFor();
});

test('@ mentions somebody: told once it is saved, read on all tabs once opened', async () => {
  const lin = await world.person('lin', { name: 'Lin' });
  const yue = await world.person('yue', { name: '林月' });
  const chen = await world.person('chen', { name: '陈晓' });
  const space = await lin.call('POST', '/spaces', { name: 'Team' });
  for (const one of [chen]) {
    await lin.call('POST', `/spaces/${space.id}/members`, { username: one.username, role: 'viewer' });
    await one.call('POST', `/spaces/${space.id}/answer`, { agree: true });
  }
  const doc = await world.room(lin, 'doc', 'Plan', { yue: 'edit' });
  const [one, two] = [await atHome(yue), await atHome(yue)];
  await becomes('the badge of what was shared', () => badge(one), '1');

  const page = await open(lin, doc);
  await caretAtEnd(page);
  await page.keyboard.type('Ask @ly');
  const menu = page.getByTestId('mention-menu');
  await menu.getByRole('option', { name: '林月' }).waitFor();
  await shoot(page, 'mention-menu');
  await page.keyboard.press('Enter');
  await page.keyboard.type(' today');
  await becomes('the text', () => blocks(page), ['Ask @林月 today']);
  await saved(page);
  await becomes('the badge of the first tab', () => badge(one), '2');
  await becomes('the badge of the second tab', () => badge(two), '2');
  await becomes('the text at the server', () => lin.textOf(doc.id), 'Ask @林月 today');

  // Nobody who cannot open it is mentioned: it is shared first.
  await page.keyboard.type(' and @chen');
  await menu.getByText("Can't open this: share it first").waitFor();
  await shoot(page, 'mention-share');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Share “Plan”' }).waitFor();
  await page.keyboard.press('Escape');
  // Prose stays prose: an address opens nothing, Esc leaves the sign.
  await body(page).focus();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(' a@b.c @l');
  await menu.waitFor();
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'hidden' });
  assert.deepEqual(await blocks(page), ['Ask @林月 today and @chen a@b.c @l']);

  await one.goto('/inbox');
  await one.getByRole('tab', { name: 'Mentions' }).click();
  await becomes('the mentions', () => notices(one).count(), 1);
  await one.getByText('Lin mentioned you in “Plan”').click();
  await one.waitForURL(/\/o\//);
  await becomes('the text at the other side', async () => (await blocks(one))[0].startsWith('Ask @林月 today'), true);
  await becomes('the badge of the first tab', () => badge(one), '');
  await becomes('the badge of the second tab', () => badge(two), '');
});

test('the full-width sign and an input method mention, too', async () => {
  const mo = await world.person('mo');
  const xiu = await world.person('xiu', { name: '秀英' });
  const doc = await world.room(mo, 'doc', 'Plan', { xiu: 'read' });
  const page = await open(mo, doc);
  await caretAtEnd(page);
  const ime = await compose(page);
  await page.keyboard.insertText('请＠');
  await page.getByTestId('mention-menu').waitFor();
  await ime.show('xiu');
  await ime.enter();
  assert.deepEqual(await blocks(page), ['请＠xiu'], 'the input method\'s Enter chooses nobody');
  await ime.commit('秀');
  await page.getByRole('option', { name: '秀英' }).waitFor();
  await page.keyboard.press('Enter');
  await becomes('the text', () => blocks(page), ['请@秀英']);
  await saved(page);
  const there = await atHome(xiu);
  await becomes('the badge', () => badge(there), '2');
});

test('by keys alone, and muted rooms say nothing', async () => {
  const ke = await world.person('ke');
  const su = await world.person('su');
  const rooms = [];
  for (const title of ['First', 'Second', 'Third']) {
    rooms.push(await world.room(su, 'doc', title, { ke: 'read' }));
  }
  const page = await ke.context.newPage();
  await page.goto('/inbox');
  await until('three notices', async () => (await notices(page).count()) === 3);
  await shoot(page, 'inbox-three');
  assert.deepEqual(await axe(page), []);
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await page.keyboard.press('j');
  assert.match(await focused(), /Third/);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  assert.match(await focused(), /Second/);
  await page.keyboard.press('u');
  await becomes('the badge', () => badge(page), '2');
  await page.keyboard.press('u');
  await becomes('the badge', () => badge(page), '3');
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/o/${rooms[1].id}`));
  await becomes('the badge', () => badge(page), '2');

  await page.getByTestId('room-menu').last().click();
  await page.getByRole('menuitem', { name: 'Mute' }).click();
  await page.getByText('Muted: you get no notices about this.').waitFor();
  const id = (await ke.call('GET', '/auth/me')).user.id;
  for (const [room, mention] of [[rooms[1], 'a'], [rooms[2], 'b']]) {
    await su.call('POST', `/rooms/${room.id}/mentions`, { person: id, mention_id: mention });
  }
  await becomes('the badge', () => badge(page), '3');
  await page.goto('/inbox');
  await page.getByText('su mentioned you in “Third”').waitFor();
  assert.equal(await page.getByText('su mentioned you in “Second”').count(), 0);
  await page.getByRole('button', { name: 'Mark all read' }).click();
  await becomes('the badge', () => badge(page), '');
  assert.equal(await page.getByRole('button', { name: 'Mark all read' }).isDisabled(), true);
});

for (const [language, locale] of Object.entries({ en: 'en-US', zh: 'zh-CN' })) {
  test(`how it looks: ${language}`, async () => {
    const me = await world.person(`me${language}`, { name: '王小明', language });
    const other = await world.person(`o${language}`, { name: 'Ann Lee' });
    const space = await other.call('POST', '/spaces', { name: 'Design team 设计组' });
    await other.call('POST', `/spaces/${space.id}/members`, { username: `me${language}`, role: 'editor' });
    const long = 'A title of sixty characters, which is longer than most of us';
    const doc = await world.room(other, 'doc', long, { [`me${language}`]: 'edit' });
    const mine = await world.room(me, 'doc', '季度计划');
    await other.call('POST', `/rooms/${mine.id}/access-requests`);
    const id = (await me.call('GET', '/auth/me')).user.id;
    await other.call('POST', `/rooms/${doc.id}/mentions`, { person: id, mention_id: '1' });
    const cookies = await me.context.cookies();
    for (const scheme of ['light', 'dark']) {
      for (const [size, viewport] of Object.entries({
        desktop: { width: 1440, height: 900 },
        phone: { width: 390, height: 844 },
        narrow: { width: 320, height: 640 },
      })) {
        const options = { locale, viewport, colorScheme: scheme, reducedMotion: 'reduce' };
        const context = await world.context(options);
        await context.addCookies(cookies);
        const page = await context.newPage();
        await page.goto('/inbox');
        await until('all notices', async () => (await notices(page).count()) === 4);
        await shoot(page, `inbox-${language}-${scheme}-${size}`);
        assert.deepEqual(await tooWide(page), [], 'nothing runs out of the side');
        assert.deepEqual(await axe(page), []);
        await context.close();
      }
    }
    const empty = await other.context.newPage();
    await empty.goto('/inbox');
    await empty.getByText("You're all caught up.").waitFor();
    await shoot(empty, `inbox-empty-${language}`);
  });
}
