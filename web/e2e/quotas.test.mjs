/** Quotas by hand: a space gets full, what is typed waits, and goes through once there is room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { blocks, caretAtEnd, open, saved, saving } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const limits = ['room_touch_ms=50', 'quota_check_ms=50'].flatMap((limit) => ['--limit', limit]);
const world = useWorld({ args: ['--registration', 'open', ...limits] });

const say = {
  en: {
    locale: 'en-US', of: (name) => `Quota of ${name}`, bytes: 'This much', size: 'Size', unlimited: 'Unlimited',
    save: 'Save', full: /This space is full/, notSaved: 'Not saved', saved: 'Saved', defaults: 'Default quotas',
    limitTeams: 'Limit team spaces', settings: 'Settings', spaces: 'Spaces', text: 'Text of the document', unit: 'Unit',
  },
  zh: {
    locale: 'zh-CN', of: (name) => `${name} 的配额`, bytes: '指定大小', size: '大小', unlimited: '不限',
    save: '保存', full: /此空间已满/, notSaved: '未保存', saved: '已保存', defaults: '默认配额',
    limitTeams: '限制团队空间', settings: '设置', spaces: '空间', text: '文档正文', unit: '单位',
  },
};

let root;
/** The administrator, made once. */
function administrator() {
  root ??= world.person('root', { admin: true, name: '林月' });
  return root;
}

/** A person's page in this language. */
async function pageOf(person, words, options = {}) {
  const context = await world.context({ locale: words.locale, reducedMotion: 'reduce', ...options });
  await context.addCookies(await person.context.cookies());
  return context.newPage();
}

/** Opens the dialog about a space's quota. */
async function openQuota(page, words, name) {
  await page.getByRole('button', { name: words.of(name) }).click();
  const dialog = page.getByRole('dialog', { name: words.of(name) });
  await dialog.getByRole('button', { name: words.save }).waitFor();
  return dialog;
}

const listed = (page, name) => page.getByTestId('listed-space').filter({ hasText: name });

for (const language of ['en', 'zh']) {
  for (const [size, viewport] of Object.entries({
    desktop: { width: 1440, height: 900 },
    phone: { width: 390, height: 844 },
  })) {
    test(`full, told, raised, saved: ${language}, ${size}`, async () => {
      const words = say[language];
      const admin = await administrator();
      const lin = await world.person(`lin-${language}-${size}`, { language });
      const name = `Design ${language} ${size}`;
      const { id: space } = await lin.call('POST', '/spaces', { name });
      const room = await lin.call('POST', '/rooms', { kind: 'doc', title: 'Plan', space, template: 'page' });
      const page = await open(lin, room, { page: await pageOf(lin, words, { viewport }) });
      await becomes('saving', () => saving(page), words.saved);

      const office = await pageOf(admin, words, { viewport });
      await office.goto('/admin');
      let dialog = await openQuota(office, words, name);
      await dialog.getByRole('radio', { name: words.bytes }).check();
      // Much less than there is already.
      await dialog.getByRole('textbox', { name: words.size }).fill('0.00001');
      await dialog.getByRole('combobox', { name: words.unit }).selectOption('MB');
      await dialog.getByRole('button', { name: words.save }).click();
      await dialog.waitFor({ state: 'detached' });
      await listed(office, name).locator('[data-testid=storage-bar][data-is=full]').waitFor();

      const editor = page.getByRole('textbox', { name: words.text });
      await editor.click();
      await page.keyboard.type('typed while it is full');
      await page.getByTestId('save-banner').getByText(words.full).waitFor();
      await becomes('saving', () => saving(page), words.notSaved);
      await shoot(page, `quota-full-${language}-${size}`);
      assert.deepEqual(await tooWide(page), []);
      assert.deepEqual(await axe(page), []);
      assert.equal((await lin.textOf(room.id)).trim(), '', 'nothing of it is there');
      assert.deepEqual(await blocks(page), ['typed while it is full'], 'it is still on the page');

      dialog = await openQuota(office, words, name);
      await dialog.getByRole('radio', { name: words.unlimited }).check();
      await dialog.getByRole('button', { name: words.save }).click();
      await dialog.waitFor({ state: 'detached' });
      await becomes('saving', () => saving(page), words.saved);
      await becomes('the text', async () => (await lin.textOf(room.id)).trim(), 'typed while it is full');
      await page.getByTestId('save-banner').waitFor({ state: 'detached' });
      await page.context().close();
      await office.context().close();
    });
  }
}

test('what is typed into a full space outlasts a reload, and others read on', async () => {
  const admin = await administrator();
  const [bo, an] = [await world.person('bo'), await world.person('an')];
  const { id: space } = await bo.call('POST', '/spaces', { name: 'Reload' });
  const room = await bo.call('POST', '/rooms', { kind: 'doc', title: 'Plan', space, template: 'page' });
  await bo.call('POST', `/rooms/${room.id}/grants`, { username: 'an', right: 'edit' });
  const page = await open(bo, room);
  await caretAtEnd(page);
  await page.keyboard.type('before');
  await saved(page);
  const quota = (data) => admin.call('PUT', `/admin/spaces/${space}/quota`, data);
  await quota({ quota_set: 'bytes', quota: 1 });
  await page.keyboard.type(' after');
  await page.getByTestId('save-banner').getByText(say.en.full).waitFor();
  await page.reload();
  await page.getByTestId('save-banner').getByText(say.en.full).waitFor();
  await becomes('the page', () => blocks(page), ['before after']);
  const other = await open(an, room);
  await becomes('what another reads', () => blocks(other), ['before']);
  await becomes('saving of another', () => saving(other), 'Saved');
  // Nothing can be made there, and the reason is said.
  await page.goto(`/space/${space}`);
  await page.getByTestId('new-here').click();
  await page.getByRole('menuitem', { name: 'Document', exact: true }).click();
  await page.getByText('This space is full. Nothing can be added until there is room.').waitFor();
  await quota({ quota_set: 'default' });
  await open(bo, room, { page });
  await saved(page);
  await becomes('what another reads', () => blocks(other), ['before after']);
});

test('those who manage a space see how full it is, and are told', async () => {
  const admin = await administrator();
  const cy = await world.person('cy');
  const { id: space } = await cy.call('POST', '/spaces', { name: 'Nearly' });
  await cy.call('POST', '/rooms', { kind: 'doc', title: 'Plan', space, template: 'page' });
  const { storage_used: used } = await cy.call('GET', `/spaces/${space}`);
  await admin.call('PUT', `/admin/spaces/${space}/quota`, { quota_set: 'bytes', quota: Math.ceil(used * 1.1) });
  const page = await cy.context.newPage();
  await page.goto('/inbox');
  await page.getByText('The space “Nearly” is nearly full').click();
  await page.waitForURL(`/space/${space}`);
  await page.getByRole('main').getByTestId('space-menu').click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  const dialog = page.getByRole('dialog', { name: 'Nearly' });
  await dialog.locator('[data-testid=storage-bar][data-is=nearly_full]').waitFor();
  await dialog.getByText('Soon nothing can be added any more.').waitFor();
});

test('defaults are set, spaces are sorted by what they hold, and people’s own are listed', async () => {
  const admin = await administrator();
  const page = await pageOf(admin, say.en);
  await page.goto('/admin');
  await page.getByRole('button', { name: 'Default quotas' }).click();
  const dialog = page.getByRole('dialog', { name: 'Default quotas' });
  await dialog.getByRole('switch', { name: 'Limit personal spaces' }).check();
  await dialog.getByLabel('Quota of personal spaces').fill('much');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('A number above 0').waitFor();
  await dialog.getByLabel('Quota of personal spaces').fill('2.5');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('2.5 GB', { exact: true }).waitFor();
  assert.deepEqual(await admin.call('GET', '/admin/quotas'), { team: null, personal: 2.5 * 1024 ** 3 });
  await page.getByLabel('Which').selectOption('Personal spaces');
  await listed(page, 'root').getByText(/of 2\.5 GB used/).waitFor();
  await page.getByLabel('Order').selectOption('Largest first');
  await until('the largest first', async () => {
    const { spaces } = await admin.call('GET', '/admin/spaces?kind=personal&sort=used');
    const shown = await page.getByTestId('listed-space').first().innerText();
    return shown.includes(spaces[0].owner.username);
  });
  await admin.call('PUT', '/admin/quotas', { team: null, personal: null });
  await page.context().close();
});

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
let painted;

/** Spaces of all sorts, once for all pictures. */
async function paint() {
  const admin = await administrator();
  const spaces = {};
  for (const [name, factor] of [['设计 Design', 0.9], ['Marketing and everything else that has a long name 市场', 1], ['Notes', 0.2]]) {
    const { id } = await admin.call('POST', '/spaces', { name });
    await admin.call('POST', '/rooms', { kind: 'doc', title: 'Plan', space: id, template: 'page' });
    const { storage_used: used } = await admin.call('GET', `/spaces/${id}`);
    const quota = Math.ceil(used / factor);
    await admin.call('PUT', `/admin/spaces/${id}/quota`, { quota_set: 'bytes', quota });
    spaces[name] = id;
  }
  return { admin, spaces };
}

for (const [language, words] of Object.entries(say)) {
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
      test(`the pages look right: ${language}, ${scheme}, ${size}`, async () => {
        painted ??= paint();
        const { admin, spaces } = await painted;
        const page = await pageOf(admin, words, { viewport, colorScheme: scheme });
        const check = async (name) => {
          await shoot(page, `${name}-${language}-${scheme}-${size}`);
          assert.deepEqual(await tooWide(page), [], name);
          assert.deepEqual(await axe(page), [], name);
        };
        await page.goto('/admin');
        const row = listed(page, '设计 Design');
        await row.locator('[data-is=nearly_full]').waitFor();
        await page.getByRole('region', { name: words.spaces }).evaluate((section) => section.scrollIntoView());
        await check('quota-admin');
        const dialog = await openQuota(page, words, '设计 Design');
        await check('quota-dialog');
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });
        await page.getByRole('button', { name: words.defaults }).click();
        const defaults = page.getByRole('dialog', { name: words.defaults });
        await defaults.getByRole('switch', { name: words.limitTeams }).check();
        await check('quota-defaults');
        await page.goto(`/space/${spaces['设计 Design']}`);
        await page.getByRole('main').getByTestId('space-menu').click();
        await page.getByRole('menuitem', { name: words.settings }).click();
        await page.getByRole('dialog').locator('[data-is=nearly_full]').waitFor();
        await check('quota-settings');
        await page.context().close();
      });
    }
  }
}
