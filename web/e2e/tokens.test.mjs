/** Access tokens, and the code that the app shows for a document, as programs use them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { HocuspocusProvider } from '@hocuspocus/provider';
import { createYjsProvider } from '@y-sweet/client';
import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

import { axe, shoot, tooWide } from './looks.mjs';
import { blocks, caretAtEnd, faces, open, saved, useFromCode } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';
import { endYSweet } from './yjs-clients.mjs';

const world = useWorld();
globalThis.WebSocket = WebSocket; // As browsers and newer Nodes have it.

/** Adds a paragraph as the editor has them. */
function add(content, text) {
  const paragraph = new Y.XmlElement('paragraph');
  paragraph.insert(0, [new Y.XmlText(text)]);
  content.insert(content.length, [paragraph]);
}

/** Runs the code of a client library's tab, to the letter but for its imports. */
function run(t, code, end = (provider) => provider.destroy()) {
  const body = code.replace(/^import .*$/gm, '');
  const imports = { Y, WebsocketProvider, HocuspocusProvider, createYjsProvider };
  const made = new Function(...Object.keys(imports), `${body}\nreturn { provider, content };`);
  const { provider, content } = made(...Object.values(imports));
  const closes = [];
  provider.on('connection-close', (event) => closes.push(event?.code));
  t.after(() => {
    end(provider);
    content.doc.destroy();
  });
  return { provider, content, closes, add: (text) => add(content, text) };
}

/** Makes an access token by hand, and gives what is shown once. */
async function makeToken(page, name) {
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Create token' }).click();
  await dialog.getByText('Please fill this in.').waitFor();
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('Read').uncheck();
  await dialog.getByRole('button', { name: 'Create token' }).click();
  await dialog.getByText('Choose at least one.').waitFor();
  await dialog.getByLabel('Let others in').check();
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const token = await dialog.getByTestId('fresh-token').inputValue();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByText(name, { exact: true }).waitFor();
  assert.equal((await page.content()).includes(token), false, 'shown once');
  return token;
}

test('somebody comes by a room token, is seen by name, and goes when the token is revoked', async (t) => {
  const lin = await world.person('lin', { admin: true });
  const room = await world.room(lin, 'doc', 'Plan');
  const page = await open(lin, room);
  await caretAtEnd(page);
  await page.keyboard.type('by hand');
  await saved(page);

  const tokens = await lin.context.newPage();
  await tokens.goto('/home');
  await tokens.getByTestId('me-menu').click();
  await tokens.getByRole('menuitem', { name: 'Access tokens' }).click();
  await tokens.getByText('No access tokens yet').waitFor();
  const token = await makeToken(tokens, 'Our site');

  // What the app shows for servers, with their own token and names.
  const minted = await fetch(`${world.server.url}/api/v1/room-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ room: room.id, right: 'edit', name: 'Ann', ttl_seconds: 600 }),
  });
  assert.equal(minted.status, 201);
  const ann = (await minted.json()).token;

  const dialog = await useFromCode(page);
  await dialog.getByRole('button', { name: 'Create token' }).click();
  await dialog.getByText('Everybody who has this token can edit').waitFor();
  const code = await dialog.getByTestId('code-sample').innerText();
  const shown = /weft_room_[\w-]+/.exec(code)?.[0];
  assert.ok(shown, 'the sample holds a token');
  await page.keyboard.press('Escape');

  const program = run(t, code);
  program.provider.disconnectBc(); // In one process tabs would tell each other.
  await becomes('the program reads', () => program.content.toString().includes('by hand'), true);
  program.add('by the program');
  await becomes('and writes', () => blocks(page), ['by hand', 'by the program']);
  assert.deepEqual(await faces(page), ['lin (you)'], 'its maker is seen, once');
  const guest = run(t, code.replace(shown, ann));
  guest.provider.disconnectBc();
  await becomes('who is here', () => faces(page), ['Ann', 'lin (you)']);
  guest.add('by Ann');
  await becomes('what Ann writes', () => blocks(page), ['by hand', 'by the program', 'by Ann']);

  await tokens.getByRole('button', { name: 'Revoke “Our site”' }).click();
  await tokens.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await tokens.getByText('No access tokens yet').waitFor();
  const gone = () => guest.closes.includes(4401) && !guest.provider.shouldConnect;
  await becomes('Ann is out for good', gone, true);
  await becomes('and no longer seen', () => faces(page), ['lin (you)']);
  guest.add('after');
  program.add('the other token is another');
  const after = ['by hand', 'by the program', 'by Ann', 'the other token is another'];
  await becomes('nothing more of Ann', () => blocks(page), after);
});

test('the code of the other tabs does what it says, as it stands there', async (t) => {
  const lin = await world.person('coder');
  const room = await world.room(lin, 'doc', 'Code');
  const page = await open(lin, room);
  await caretAtEnd(page);
  await page.keyboard.type('by hand');
  await saved(page);
  const dialog = await useFromCode(page);
  await dialog.getByRole('button', { name: 'Create token' }).click();
  await dialog.getByText('Everybody who has this token can edit').waitFor();
  const codeOf = async (tab) => {
    await dialog.getByRole('tab', { name: tab }).click();
    await dialog.getByRole('region', { name: `Code for ${tab}` }).waitFor();
    return dialog.getByTestId('code-sample').innerText();
  };
  const lines = ['by hand'];
  for (const [tab, end] of [['Hocuspocus'], ['Y-Sweet', endYSweet]]) {
    const program = run(t, await codeOf(tab), end);
    await becomes(`${tab} reads`, () => program.content.length, lines.length);
    program.add(`by ${tab}`);
    lines.push(`by ${tab}`);
    await becomes(`${tab} writes`, () => blocks(page), lines);
  }
  const folder = await mkdtemp(join(tmpdir(), 'weft-curl-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const doc = new Y.Doc();
  add(doc.getXmlFragment('default'), 'by curl');
  await writeFile(join(folder, 'update.bin'), Y.encodeStateAsUpdate(doc));
  const shell = promisify(execFile);
  const { stdout } = await shell('bash', ['-ec', await codeOf('curl')], { cwd: folder });
  assert.ok(stdout.includes(lines.join('\n')), 'the text');
  assert.ok(stdout.includes('"type":"paragraph"'), 'the document as JSON');
  Y.applyUpdate(doc, await readFile(join(folder, 'state.bin')));
  assert.equal(doc.getXmlFragment('default').length, lines.length + 1, 'the state');
  const all = [...lines, 'by curl'].sort();
  await becomes('what curl wrote', async () => (await blocks(page)).sort(), all);
});

test('who may only view is offered no more, and all of it works by keyboard', async () => {
  const lin = await world.person('owner');
  const eve = await world.person('viewer');
  const room = await world.room(lin, 'doc', 'Read me', { viewer: 'read' });
  const page = await open(eve, room);
  await page.getByTestId('room-menu').last().focus();
  await page.keyboard.press('Enter');
  const item = page.getByRole('menuitem', { name: 'Use from code' });
  await item.waitFor();
  await until('the item by arrow keys', async () => {
    await page.keyboard.press('ArrowDown');
    return item.evaluate((element) => element === document.activeElement);
  });
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  const rights = () => dialog.getByLabel('The program').locator('option').allInnerTexts();
  await becomes('the rights to choose from', rights, ['Can view']);
  await dialog.getByRole('button', { name: 'Create token' }).press('Enter');
  await dialog.getByText('Everybody who has this token can view').waitFor();
  await dialog.getByRole('tab', { name: 'y-websocket' }).focus();
  for (const [tab, holds] of [
    ['Hocuspocus', '/hocuspocus'],
    ['Y-Sweet', 'read-only'],
    ['curl', 'Authorization: Bearer'],
    ['Your server', "right: 'read'"],
  ]) {
    await page.keyboard.press('ArrowRight');
    await dialog.getByRole('region', { name: `Code for ${tab}` }).waitFor();
    const code = await dialog.getByTestId('code-sample').innerText();
    assert.ok(code.includes(holds) && code.includes(room.id), code);
  }
  // Another choice is another token.
  await dialog.getByRole('tab', { name: 'y-websocket' }).click();
  await dialog.getByLabel('Token works for').selectOption({ label: '1 hour' });
  await dialog.getByText('ROOM_TOKEN.').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  const back = () => page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  await becomes('focus is where it was', back, 'room-menu');
});

const looks = {
  en: { locale: 'en-US', menu: 'Use from code', create: 'Create token', fresh: 'New token' },
  zh: { locale: 'zh-CN', menu: '在代码中使用', create: '创建令牌', fresh: '新建令牌' },
};
const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
let painter;

for (const [language, say] of Object.entries(looks)) {
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
      test(`the dialogs look right: ${language}, ${scheme}, ${size}`, async () => {
        painter ??= world.person('painter', { name: '林月' }).then(async (person) => ({
          person,
          room: await world.room(person, 'doc', '季度计划 and a title that is rather long'),
        }));
        const { person, room } = await painter;
        const context = await world.context({
          locale: say.locale, viewport, colorScheme: scheme, reducedMotion: 'reduce',
        });
        await context.addCookies(await person.context.cookies());
        const page = await context.newPage();
        const check = async (name) => {
          await shoot(page, `${name}-${language}-${scheme}-${size}`);
          assert.deepEqual(await tooWide(page), [], name);
          assert.deepEqual(await axe(page), [], name);
        };
        await page.goto('/tokens');
        await page.getByRole('button', { name: say.fresh }).click();
        const dialog = page.getByRole('dialog');
        const create = dialog.getByRole('button', { name: say.create });
        await create.waitFor();
        await check('token-form');
        await open(person, room, { page });
        await page.getByTestId('room-menu').last().click();
        await page.getByRole('menuitem', { name: say.menu }).click();
        await create.waitFor();
        await check('code-before');
        await create.click();
        await dialog.getByText('weft_room_').waitFor();
        await check('code-after');
        await context.close();
      });
    }
  }
}
