/**
 * Every main page in both languages, both schemes and both sizes: nothing runs out of the side,
 * and axe finds nothing serious. With WEFT_SHOTS set, a picture of each is written to that folder.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { caretAtEnd, open, saved, words } from './page.mjs';
import { useWorld } from './world.mjs';

const world = useWorld();
const sizes = {
  desktop: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
  narrow: { width: 320, height: 640 },
};
const languages = { en: 'en-US', zh: 'zh-CN' };
const schemes = ['light', 'dark'];
const longTitle = 'A title of sixty characters, which is longer than most of us write';

/** A team with folders, rooms, members and somebody who is invited; lin is invited elsewhere. */
async function team(lin) {
  const an = await world.person('an', { name: 'An Bo' });
  await world.person('chen', { name: '陈晓' });
  const space = await lin.call('POST', '/spaces', { name: 'Design team 设计组' });
  const members = `/spaces/${space.id}/members`;
  await lin.call('POST', members, { username: 'an', role: 'admin' });
  await an.call('POST', `/spaces/${space.id}/answer`, { agree: true });
  await lin.call('POST', members, { username: 'chen', role: 'viewer' });
  const folder = await lin.call('POST', '/folders', { space: space.id, name: longTitle.slice(0, 60) });
  await lin.call('POST', '/folders', { space: space.id, parent: folder.id, name: '季度计划' });
  await lin.call('POST', `/folders/${folder.id}/grants`, { username: 'chen', right: 'comment', expires_in_seconds: 86_400 });
  const inside = { space: space.id, folder: folder.id };
  const plan = await lin.call('POST', '/rooms', { kind: 'doc', template: 'page', title: 'Q4 plan', ...inside });
  await lin.call('POST', '/rooms', { kind: 'order', title: '周五午餐', space: space.id });
  await lin.call('PUT', `/rooms/${plan.id}/star`);
  const lunch = await an.call('POST', '/spaces', { name: 'Lunch club' });
  await an.call('POST', `/spaces/${lunch.id}/members`, { username: 'lin', role: 'editor' });
  const gallery = (await lin.call('GET', '/spaces')).spaces.find(({ kind }) => kind === 'gallery');
  return { space, folder, gallery };
}

let made;
/** What the pages show: made once for all of them. */
function content() {
  made ??= (async () => {
    const lin = await world.person('lin', { admin: true, name: '林月' });
    const doc = await world.room(lin, 'doc', longTitle);
    const order = await world.room(lin, 'order', '周五午餐');
    const trashed = await world.room(lin, 'doc', 'Old notes');
    await lin.call('DELETE', `/rooms/${trashed.id}`);
    const space = await team(lin);
    for (const scopes of [['read'], ['write', 'manage', 'room-tokens']]) {
      const seconds = scopes.length === 1 ? 3600 : undefined;
      await lin.call('POST', '/tokens', { name: longTitle.slice(0, 60), scopes, expires_in_seconds: seconds });
    }
    await lin.call('POST', '/admin/invites', { email: `${longTitle.replaceAll(/\W/g, '.')}@example.org` });
    await lin.call('POST', '/admin/invites', {});
    const page = await open(lin, doc);
    await caretAtEnd(page);
    await page.keyboard.type('# 季度计划 Plan\nSome text, 中文 and English.\n- one\ntwo\n\n> quoted');
    await saved(page);
    await page.close();
    return { lin, doc, order, ...space };
  })();
  return made;
}

const pages = {
  signin: { path: () => '/signin', signedIn: false },
  home: { path: () => '/home' },
  document: { path: ({ doc }) => `/o/${doc.id}` },
  order: { path: ({ order }) => `/o/${order.id}` },
  space: { path: ({ space }) => `/space/${space.id}` },
  audit: { path: ({ space }) => `/audit/${space.id}`, act: (page) => page.getByTestId('audit').getByRole('listitem').first().waitFor() },
  members: {
    path: ({ space }) => `/space/${space.id}`,
    act: (page) => page.getByTestId('members-button').click(),
  },
  move: {
    path: ({ space, folder }) => `/space/${space.id}/${folder.id}`,
    act: (page) => fromMenu(page, 1),
  },
  share: {
    path: ({ space, folder }) => `/space/${space.id}/${folder.id}`,
    act: (page) => fromMenu(page, 0),
  },
  find: {
    path: ({ space }) => `/space/${space.id}`,
    act: async (page, words) => {
      await page.getByText(words.space).first().waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill('jdjh');
    },
  },
  gallery: { path: ({ gallery }) => `/space/${gallery.id}` },
  inbox: { path: () => '/inbox' },
  trash: { path: () => '/trash' },
  tokens: { path: () => '/tokens' },
  settings: { path: () => '/settings' },
  admin: { path: () => '/admin' },
  forgotten: { path: () => '/forgotten', signedIn: false },
  reset: { path: () => '/reset#secret', signedIn: false },
  verify: { path: () => '/verify#secret', signedIn: false },
  missing: { path: () => '/o/00000000000000000000000000' },
};

/** An item of the `:` menu of the last row. */
async function fromMenu(page, item) {
  await page.getByTestId('room-menu').last().click();
  await page.getByRole('menuitem').nth(item).click();
}

for (const [language, locale] of Object.entries(languages)) {
  for (const scheme of schemes) {
    for (const [size, viewport] of Object.entries(sizes)) {
      test(`${language}, ${scheme}, ${size}`, async (t) => {
        const { lin, ...rooms } = await content();
        const options = { locale, viewport, colorScheme: scheme, reducedMotion: 'reduce' };
        const cookies = await lin.context.cookies();
        for (const [name, { path, act, signedIn = true }] of Object.entries(pages)) {
          await t.test(name, async () => {
            const context = await world.context(options);
            if (signedIn) await context.addCookies(cookies);
            const page = await context.newPage();
            await page.goto(path(rooms));
            await act?.(page, words[language]);
            await page.getByText(words[language][name]).last().waitFor();
            await page.evaluate(() => document.fonts.ready);
            await shoot(page, `${name}-${language}-${scheme}-${size}`);
            assert.deepEqual(await tooWide(page), [], 'nothing runs out of the side');
            const lang = await page.locator('html').getAttribute('lang');
            assert.equal(lang, language === 'zh' ? 'zh-Hans' : 'en');
            if (size !== 'narrow') assert.deepEqual(await axe(page), []);
            await context.close();
          });
        }
      });
    }
  }
}
