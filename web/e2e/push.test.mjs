/**
 * Notices on the screen of a browser: turned on by hand, sealed on their way, shown by the service worker, and where a click
 * on one leads. The browser's push service is played: the real ones are out of a test's reach.
 */
import assert from 'node:assert/strict';
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import ece from 'http_ece';

import { axe, shoot, tooWide } from './looks.mjs';
import { body } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld({ args: ['--registration', 'open', '--webhook-allow', '127.0.0.1'] });

/** Keeps what is sent to each browser, as that one reads it. */
const service = { browsers: new Map() };
before(async () => {
  service.server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const browser = service.browsers.get(request.url);
      browser?.take(request.headers, Buffer.concat(parts));
      response.writeHead(browser === undefined ? 404 : 201).end();
    });
  });
  await new Promise((resolve) => service.server.listen(0, '127.0.0.1', resolve));
  service.origin = `http://127.0.0.1:${service.server.address().port}`;
});
after(() => service.server?.close());

/** RFC 8292: signed for this service by whoever has the key that the browser was told of. */
function isSigned(header, key) {
  const [, token, shown] = /^vapid t=(\S+), k=(\S+)$/.exec(header);
  const [head, claims, signature] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const signed = Buffer.from(`${head}.${claims}`);
  const { aud, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  return (
    shown === key &&
    aud === service.origin &&
    exp * 1000 > Date.now() &&
    verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  );
}

/** In the page: as if the browser had a push service. */
function playService({ endpoint, keys }) {
  const subscription = {
    endpoint,
    toJSON: () => ({ endpoint, keys }),
    unsubscribe: async () => {
      localStorage.removeItem('played-push');
      return true;
    },
  };
  const { prototype } = PushManager;
  prototype.getSubscription = async () => (localStorage.getItem('played-push') === null ? null : subscription);
  prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    if (!userVisibleOnly) throw new DOMException('not without showing it', 'NotAllowedError');
    localStorage.setItem('played-push', applicationServerKey);
    return subscription;
  };
}

/** A person's browser, which lets the site show notifications. */
async function browserOf(person) {
  const ecdh = createECDH('prime256v1');
  const keys = { p256dh: ecdh.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') };
  const path = `/to/${randomBytes(8).toString('hex')}`;
  const browser = { heard: [], signs: [] };
  browser.take = (headers, sealed) => {
    assert.equal(headers['content-encoding'], 'aes128gcm');
    const told = ece.decrypt(sealed, { version: 'aes128gcm', privateKey: ecdh, authSecret: keys.auth });
    browser.heard.push(told.toString());
    browser.signs.push(headers.authorization);
  };
  service.browsers.set(path, browser);
  await person.context.grantPermissions(['notifications'], { origin: world.server.url });
  await person.context.addInitScript(playService, { endpoint: `${service.origin}${path}`, keys });
  return browser;
}

/** Hands what the service has heard last to the page's service worker. */
async function deliver(page, browser) {
  const cdp = await page.context().newCDPSession(page);
  const registered = new Promise((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const own = registrations.find(({ isDeleted }) => !isDeleted);
      if (own !== undefined) resolve(own.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  const registrationId = await registered;
  await cdp.send('ServiceWorker.deliverPushMessage', {
    origin: world.server.url,
    registrationId,
    data: browser.heard.at(-1),
  });
  await cdp.detach();
}

/** What stands on the screen. */
const shown = (page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration('/');
    return (await registration.getNotifications()).map(({ title }) => title);
  });

const share = async (from, to, title) => {
  const room = await world.room(from, 'doc', title, { [to]: 'edit' });
  return room.id;
};

const turn = (page) => page.getByRole('switch', { name: 'Show notifications' });
/** Turned, and that is so: until then it can be turned no further. */
const stands = (page, on) =>
  until(on ? 'it is on' : 'it is off', async () => (await turn(page).isEnabled()) && (await turn(page).isChecked()) === on);

test('turned on in the settings, a notice comes sealed, shows, and leads to its page', async () => {
  const lin = await world.person('lin');
  const mei = await world.person('mei', { name: '林月' });
  const browser = await browserOf(mei);
  const page = await mei.context.newPage();
  await page.goto('/settings');
  await stands(page, false);
  await turn(page).click({ force: true });
  await stands(page, true);
  const key = await page.evaluate(() => localStorage.getItem('played-push'));
  await page.reload();
  await stands(page, true);

  const room = await share(lin, 'mei', 'Plan');
  await becomes('what the service heard', () => browser.heard.length, 1);
  assert.ok(isSigned(browser.signs[0], key));
  const [told] = JSON.parse(browser.heard[0]);
  assert.deepEqual([told.text, told.path], ['lin shared “Plan” with you', `/o/${room}`]);
  await deliver(page, browser);
  await becomes('what is on the screen', () => shown(page), ['lin shared “Plan” with you']);
  // The same again takes the place of the first.
  await deliver(page, browser);
  await becomes('what is on the screen', () => shown(page), ['lin shared “Plan” with you']);

  const worker = page.context().serviceWorkers().find((one) => one.url().endsWith('/push.js'));
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new self.NotificationEvent('notificationclick', { notification }));
  });
  await page.waitForURL(`**/o/${room}`);
  await body(page).waitFor();
  await becomes('what is on the screen', () => shown(page), []);
});

test('what is read anywhere leaves the screen, and nothing comes to who has signed out', async () => {
  const an = await world.person('an');
  const bo = await world.person('bo');
  const browser = await browserOf(bo);
  const page = await bo.context.newPage();
  await page.goto('/settings');
  await turn(page).click({ force: true });
  await stands(page, true);
  await share(an, 'bo', 'One');
  await becomes('what the service heard', () => browser.heard.length, 1);
  const second = await share(an, 'bo', 'Two');
  await becomes('what the service heard', () => browser.heard.length, 2);
  await deliver(page, { heard: browser.heard.slice(0, 1) });
  await deliver(page, browser);
  await becomes('what is on the screen', async () => (await shown(page)).sort(), [
    'an shared “One” with you',
    'an shared “Two” with you',
  ]);
  // Elsewhere: this page hears of it.
  const other = await bo.context.newPage();
  await other.goto(`/o/${second}`);
  await body(other).waitFor();
  await becomes('what is on the screen', () => shown(page), ['an shared “One” with you']);
  await other.close();

  await page.getByTestId('me-menu').click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/\/signin/);
  await becomes('what is on the screen', () => shown(page), []);
  assert.equal(await page.evaluate(() => localStorage.getItem('played-push')), null);
  await share(an, 'bo', 'Three');
  // Who sits there next hears of their own.
  const cy = await world.person('cy');
  const next = await browserOf(cy);
  const fresh = await cy.context.newPage();
  await fresh.goto('/settings');
  await turn(fresh).click({ force: true });
  await stands(fresh, true);
  await share(an, 'cy', 'Four');
  await becomes('what the service heard', () => next.heard.length, 1);
  assert.equal(browser.heard.length, 2);
  await turn(fresh).click({ force: true });
  await stands(fresh, false);
  assert.equal((await cy.call('GET', '/auth/push')).endpoint, null);
});

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
for (const [size, viewport] of Object.entries(sizes)) {
  for (const [language, colorScheme] of [['en', 'dark'], ['zh', 'light']]) {
    test(`the choice and what a browser forbids: ${size}, ${language}`, async () => {
      const locale = { en: 'en-US', zh: 'zh-CN' }[language];
      const name = `p${size}${language}`;
      const person = await world.person(name, { language, locale, viewport, colorScheme });
      const page = await person.context.newPage();
      await page.addInitScript(() => {
        Object.defineProperty(Notification, 'permission', { get: () => 'denied' });
      });
      await page.goto('/settings');
      const title = { en: 'Notifications on this device', zh: '此设备上的通知' }[language];
      const heading = page.getByRole('heading', { name: title });
      await heading.scrollIntoViewIfNeeded();
      const why = { en: /Your browser blocks/, zh: /浏览器已禁止/ }[language];
      await page.getByText(why).waitFor();
      assert.deepEqual(await axe(page), []);
      assert.deepEqual(await tooWide(page), []);
      await heading.scrollIntoViewIfNeeded();
      await shoot(page, `push-${size}-${language}`);
    });
  }
}
