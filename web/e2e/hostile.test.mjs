/** What somebody could leave for others to run: in names, links and pasted text. And the page of the API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as Y from 'yjs';

import { shoot } from './looks.mjs';
import { blocks, body, caretAtEnd, open, saved } from './page.mjs';
import { until, useWorld } from './world.mjs';

const world = useWorld();

const scripts = [
  '<img src=x onerror="window.ran=1">',
  '<script>window.ran=1</script>',
  '"><svg onload="window.ran=1">',
  "javascript:window.ran=1//';window.ran=1//",
];

/** Fails once anything has run, a dialog shows, or the policy had to stop something. */
async function watched(person) {
  const found = [];
  await person.context.addInitScript(() => {
    const set = () => void window.told(`ran at ${location.pathname}`);
    Object.defineProperty(window, 'ran', { set });
    document.addEventListener('securitypolicyviolation', (event) =>
      window.told(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
    );
  });
  await person.context.exposeFunction('told', (what) => void found.push(what));
  person.context.on('dialog', (dialog) => void dialog.dismiss());
  return found;
}

test('names of all sorts are text, wherever they are shown', async () => {
  const owner = await world.person('owner', { admin: true, name: scripts[0] });
  const found = await watched(owner);
  for (const script of scripts) {
    const name = script.slice(0, 64);
    const space = await owner.call('POST', '/spaces', { name });
    const folder = await owner.call('POST', '/folders', { space: space.id, name });
    const room = await owner.call('POST', '/rooms', { kind: 'doc', title: script, template: 'page', space: space.id, folder: folder.id });
    const page = await open(owner, room);
    assert.equal(await page.getByLabel('Title').inputValue().catch(() => script), script);
    await page.goto('/');
    await page.getByRole('main').getByText(script).first().waitFor();
    await page.goto(`/space/${space.id}`);
    await page.getByRole('main').getByText(name).first().waitFor();
    await page.close();
  }
  assert.deepEqual(found, []);
  // What did run would be noticed.
  const page = await owner.context.newPage();
  await page.goto('/');
  await page.evaluate(() => void (window.ran = 1));
  await until('what ran is noticed', () => found.length === 1);
});

test('a link in a document leads to the web or nowhere', async () => {
  const writer = await world.person('writer');
  const found = await watched(writer);
  const room = await writer.call('POST', '/rooms', { kind: 'doc', title: 'Links' });
  const doc = new Y.Doc();
  const hrefs = [
    'javascript:window.ran=1',
    'JaVaScRiPt:window.ran=1',
    'java\nscript:window.ran=1',
    '\u0001javascript:window.ran=1',
    'data:text/html,<script>window.ran=1</script>',
    'vbscript:x',
    'https://example.org/fine',
  ];
  const fragment = doc.getXmlFragment('default');
  for (const [index, href] of hrefs.entries()) {
    const paragraph = new Y.XmlElement('paragraph');
    const text = new Y.XmlText();
    paragraph.insert(0, [text]);
    fragment.insert(index, [paragraph]);
    text.insert(0, `link ${index}`, { link: { href } });
  }
  const answer = await writer.context.request.post(`/api/v1/rooms/${room.id}/updates`, {
    data: Buffer.from(Y.encodeStateAsUpdate(doc)),
    headers: { Origin: world.server.url },
  });
  assert.ok(answer.ok(), await answer.text());
  const page = await open(writer, room);
  await page.getByText(`link ${hrefs.length - 1}`).waitFor();
  const shown = await page.locator('.ProseMirror a').evaluateAll((all) => all.map((a) => a.href));
  for (const href of shown) assert.match(href, /^(https?:|mailto:|$)/, href);
  assert.ok(shown.includes(hrefs.at(-1)), shown.join());
  for (const index of hrefs.keys()) {
    if (index === hrefs.length - 1) continue;
    await page.getByText(`link ${index}`, { exact: true }).click({ modifiers: ['Control'] });
  }
  assert.deepEqual(found, []);
  await page.close();
});

test('what is pasted brings no scripts along', async () => {
  const writer = await world.person('paster');
  const found = await watched(writer);
  const room = await writer.call('POST', '/rooms', { kind: 'doc', title: 'Paste', template: 'page' });
  const page = await open(writer, room);
  await caretAtEnd(page);
  const html = `<p>kept</p>${scripts.join('')}<a href="javascript:window.ran=1">bad</a>
    <iframe srcdoc="<script>parent.ran=1</script>"></iframe><style>body{display:none}</style>
    <form action="https://evil.example"><input name="x"></form><p style="position:fixed" onclick="window.ran=1">last</p>`;
  await body(page).evaluate((editor, html) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/html', html);
    editor.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, html);
  await until('what was pasted', async () => (await blocks(page)).some((block) => block.includes('last')));
  await saved(page);
  const left = await page.locator('.ProseMirror').evaluate((editor) => ({
    elements: editor.querySelectorAll('script, iframe, style, form, input, svg, object, embed').length,
    handlers: [...editor.querySelectorAll('*')].filter((element) =>
      [...element.attributes].some((attribute) => attribute.name.startsWith('on')),
    ).length,
    links: [...editor.querySelectorAll('a')].map((a) => a.href).filter((href) => !/^https?:/.test(href)),
  }));
  assert.deepEqual(left, { elements: 0, handlers: 0, links: [] });
  await page.getByText('last').click();
  // The editor reads what was pasted into a document that runs nothing. Some browsers report the handlers in it all the same.
  assert.deepEqual(found.filter((what) => !what.startsWith('script-src-attr: inline')), []);
  await page.close();
});

test('the page of the API works with nothing from elsewhere', async () => {
  const reader = await world.person('reader');
  const found = await watched(reader);
  const page = await reader.context.newPage();
  const elsewhere = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(world.server.url) && !request.url().startsWith('data:')) elsewhere.push(request.url());
  });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto('/api/docs/');
  await page.locator('#operations-rooms-get_rooms').waitFor();
  await page.locator('#operations-rooms-get_rooms').click();
  await page.getByRole('button', { name: 'Try it out' }).click();
  await page.getByRole('button', { name: 'Execute' }).click();
  await page.locator('.live-responses-table').getByText('"rooms"').first().waitFor();
  const access = page.locator('#operations-rooms-get_rooms').getByText('x-weft-access').first();
  await access.scrollIntoViewIfNeeded();
  await shoot(page, 'openapi-docs');
  assert.deepEqual([elsewhere, errors, found], [[], [], []]);
  await page.close();
});
