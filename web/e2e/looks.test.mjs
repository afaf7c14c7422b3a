/**
 * Every main page in both languages, both schemes and both sizes: nothing runs out of the side,
 * and axe finds nothing serious. With WEFT_SHOTS set, a picture of each is written to that folder.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

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

let made;
/** What the pages show: made once for all of them. */
function content() {
  made ??= (async () => {
    const lin = await world.person('lin', { admin: true, name: '林月' });
    const doc = await world.room(lin, 'doc', longTitle);
    const order = await world.room(lin, 'order', '周五午餐');
    const trashed = await world.room(lin, 'doc', 'Old notes');
    await lin.call('DELETE', `/rooms/${trashed.id}`);
    const page = await open(lin, doc);
    await caretAtEnd(page);
    await page.keyboard.type('# 季度计划 Plan\nSome text, 中文 and English.\n- one\ntwo\n\n> quoted');
    await saved(page);
    await page.close();
    return { lin, doc, order };
  })();
  return made;
}

const pages = {
  signin: { path: () => '/signin', signedIn: false },
  home: { path: () => '/home' },
  document: { path: ({ doc }) => `/o/${doc.id}` },
  order: { path: ({ order }) => `/o/${order.id}` },
  trash: { path: () => '/trash' },
  missing: { path: () => '/o/00000000000000000000000000' },
};

for (const [language, locale] of Object.entries(languages)) {
  for (const scheme of schemes) {
    for (const [size, viewport] of Object.entries(sizes)) {
      test(`${language}, ${scheme}, ${size}`, async (t) => {
        const { lin, ...rooms } = await content();
        const options = { locale, viewport, colorScheme: scheme, reducedMotion: 'reduce' };
        const cookies = await lin.context.cookies();
        for (const [name, { path, signedIn = true }] of Object.entries(pages)) {
          await t.test(name, async () => {
            const context = await world.context(options);
            if (signedIn) await context.addCookies(cookies);
            const page = await context.newPage();
            await page.goto(path(rooms));
            await page.getByText(words[language][name]).first().waitFor();
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

/** What is wider than the window, although nothing in it scrolls sideways. */
function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll('*')].filter(
      (element) => element.getBoundingClientRect().right > width + 1,
    );
    return wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 160));
  });
}

/** What axe calls serious or critical, with the elements it means. */
async function axe(page) {
  const source = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  await page.evaluate(source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`);
}

async function shoot(page, name) {
  const folder = process.env.WEFT_SHOTS;
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
