/** Webhooks by hand: made, heard, looked at, sent again; and what waits when the power fails. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld({ args: ['--registration', 'open', '--webhook-allow', '127.0.0.1'] });

/** Hears what is sent, and answers what `answers` says next, else 204. */
const receiver = { heard: [], answers: [] };
before(async () => {
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      receiver.heard.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      const { status, text } = receiver.answers.shift() ?? { status: 204, text: '' };
      response.writeHead(status).end(text);
    });
  });
  receiver.server = server;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${server.address().port}/weft`;
});
after(() => receiver.server?.close());

/** What `docs/webhooks.md` shows. */
function isGenuine(secret, { headers, body }) {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return signature === `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
}

/** Makes a webhook by hand, and gives the secret that is shown once. */
async function make(page, url) {
  await page.getByRole('button', { name: 'New webhook' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Address').fill('https://127.0.0.2/');
  await dialog.getByRole('button', { name: 'Create webhook' }).click();
  await dialog.getByText('This address lies within a network into which this server may not send.').waitFor();
  await dialog.getByLabel('Address').fill(url);
  await dialog.getByLabel('Name (optional)').fill('Our site');
  await dialog.getByRole('button', { name: 'Create webhook' }).click();
  const secret = await dialog.getByTestId('webhook-secret').inputValue();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await dialog.waitFor({ state: 'detached' });
  return secret;
}

/** Does what an item of the webhook's menu says. */
async function choose(page, item) {
  await page.getByTestId('webhook').getByRole('button', { name: /^Actions for/ }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

test('what happens in a space arrives, is in the log, and can be sent again', async () => {
  const lin = await world.person('lin');
  const { id: space } = await lin.call('POST', '/spaces', { name: 'Design' });
  const page = await lin.context.newPage();
  await page.goto(`/space/${space}`);
  await page.getByRole('main').getByTestId('space-menu').click();
  await page.getByRole('menuitem', { name: 'Webhooks' }).click();
  await page.getByText('No webhooks yet').waitFor();
  const secret = await make(page, receiver.url);
  await page.getByText('Our site').waitFor();
  assert.equal((await page.content()).includes(secret), false, 'shown once');

  receiver.answers.push({ status: 500, text: 'out of order <b>' });
  await lin.call('POST', '/rooms', { kind: 'doc', title: 'Plan', space });
  await becomes('what was heard', () => receiver.heard.length, 1);
  const [first] = receiver.heard;
  assert.ok(isGenuine(secret, first));
  const { type, data } = JSON.parse(first.body);
  assert.deepEqual([type, data.room.title, data.actor.username], ['room.created', 'Plan', 'lin']);

  await page.getByRole('button', { name: 'Log of “Our site”' }).click();
  const log = page.getByTestId('webhook-log');
  await log.getByText('Room created').waitFor();
  await log.getByText('The receiver did not accept it.').waitFor();
  await log.getByText('out of order <b>').waitFor();
  await log.getByRole('button', { name: 'Send again' }).click();
  await log.getByText('Delivered').waitFor();
  assert.equal(receiver.heard[1].headers['webhook-id'], first.headers['webhook-id']);
  assert.equal(receiver.heard[1].body, first.body);

  await choose(page, 'Send a test');
  await log.getByText('Test', { exact: true }).waitFor();
  await becomes('the test', () => receiver.heard.some(({ body }) => JSON.parse(body).type === 'webhook.test'), true);

  await choose(page, 'New secret');
  await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
  const renewed = await page.getByTestId('webhook-secret').inputValue();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  await choose(page, 'Send a test');
  await until('it signs with the new one', () => isGenuine(renewed, receiver.heard.at(-1)));

  await choose(page, 'Turn off');
  await page.getByTestId('webhook').getByText('Off', { exact: true }).waitFor();
  await choose(page, 'Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('No webhooks yet').waitFor();
});

test('what is stored is told, also when the program ends at that moment', async () => {
  const bo = await world.person('bo');
  const { id: space } = await bo.call('POST', '/spaces', { name: 'Crash' });
  // Nobody listens there now.
  const port = receiver.server.address().port;
  await bo.call('POST', `/spaces/${space}/webhooks`, { url: receiver.url, events: ['room.created'] });
  receiver.server.closeAllConnections();
  await new Promise((resolve) => receiver.server.close(resolve));
  const room = await bo.call('POST', '/rooms', { kind: 'doc', title: 'Stored', space });
  await world.server.killAndRestart();
  await new Promise((resolve) => receiver.server.listen(port, '127.0.0.1', resolve));
  const told = () => receiver.heard.some(({ body }) => JSON.parse(body).data.room?.id === room.id);
  // The claim of the program that is gone may have to run out first.
  await until('it is told', told, 60_000);
});

test('a webhook that is gone is told of in the inbox, which leads there', async () => {
  const cy = await world.person('cy');
  const { id: space } = await cy.call('POST', '/spaces', { name: 'Gone' });
  await cy.call('POST', `/spaces/${space}/webhooks`, { url: receiver.url, name: 'Ear', events: ['room.created'] });
  receiver.answers.push({ status: 410, text: '' });
  await cy.call('POST', '/rooms', { kind: 'doc', title: 'Last', space });
  const page = await cy.context.newPage();
  await page.goto('/inbox');
  await page.getByText('The webhook “Ear” of “Gone” was turned off').click();
  await page.getByText('Turned off: the receiver says that it is gone').waitFor();
  await choose(page, 'Turn on');
  await page.getByTestId('webhook').getByText('On', { exact: true }).waitFor();
});

const looks = {
  en: { locale: 'en-US', fresh: 'New webhook', create: 'Create webhook', log: 'Log of', edit: 'Edit' },
  zh: { locale: 'zh-CN', fresh: '新建 Webhook', create: '创建 Webhook', log: '的记录', edit: '编辑' },
};
const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
let painted;

/** A space with a webhook that has been through something, once for all pictures. */
async function paint() {
  const person = await world.person('painter', { name: '林月' });
  const { id: space } = await person.call('POST', '/spaces', { name: '设计 Design' });
  const hooks = `/spaces/${space}/webhooks`;
  const events = ['room.created', 'room.renamed'];
  const made = await person.call('POST', hooks, { url: `${receiver.url}/${'long/'.repeat(20)}`, name: '我们的网站 site', events });
  await person.call('POST', hooks, { url: receiver.url, events });
  receiver.answers.push({ status: 204, text: '' }, { status: 204, text: '' });
  const room = await person.call('POST', '/rooms', { kind: 'doc', title: '计划', space });
  await until('both heard', async () => {
    const { webhooks } = await person.call('GET', hooks);
    return webhooks.every(({ succeeded_at: at }) => at !== null);
  });
  const failure = { status: 502, text: `<html>${'bad gateway '.repeat(30)}</html>` };
  // For as long as pictures are taken.
  receiver.answers.push(...Array(40).fill(failure));
  await person.call('PATCH', `/rooms/${room.id}`, { title: '计划 B' });
  await until('one failed', async () => {
    const { deliveries } = await person.call('GET', `${hooks}/${made.webhook.id}/deliveries`);
    return deliveries[0].status === 502;
  });
  return { person, space };
}

for (const [language, say] of Object.entries(looks)) {
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
      test(`the page looks right: ${language}, ${scheme}, ${size}`, async () => {
        painted ??= paint();
        const { person, space } = await painted;
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
        await page.goto(`/webhooks/${space}`);
        await page.getByRole('button', { name: new RegExp(say.log) }).first().click();
        await page.getByTestId('webhook-log').locator('[data-state=delivered]').waitFor();
        await check('webhooks');
        await page.getByRole('button', { name: say.fresh }).click();
        await page.getByRole('dialog').getByRole('button', { name: say.create }).waitFor();
        await check('webhook-form');
        await context.close();
      });
    }
  }
}
