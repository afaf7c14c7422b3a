/**
 * What a browser test starts from: a server, a browser, and people with accounts.
 *
 * People who are not what a test is about are made over HTTP; each has a browser context of their
 * own, so that cookies and what is kept in the browser are theirs. `page.mjs` knows the screens.
 */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { chromium } from 'playwright-core';

import { startServer } from './server.mjs';

const password = 'correct horse battery';

/** Starts server and browser before the tests of a file, and ends them after. */
export function useWorld({ args = ['--registration', 'open'] } = {}) {
  const world = {};
  before(async () => {
    world.server = await startServer(args);
    world.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', ...(process.env.DISTX ? ['--disable-features=LocalNetworkAccessChecks'] : [])],
    });
  });
  after(async () => {
    await world.browser?.close();
    await world.server?.remove();
  });

  /** Somebody's browser, without an account yet. */
  world.context = async (options = {}, username) => {
    const context = await world.browser.newContext({
      baseURL: world.server.url,
      locale: 'en-US',
      timezoneId: 'UTC',
      viewport: { width: 1440, height: 900 },
      ...options,
    });
    context.setDefaultTimeout(15_000);
    if (process.env.DISTX) { const { existsSync, readFileSync } = await import('node:fs'); await context.route((u) => !/^\/(api|ws|readyz)/.test(u.pathname), (r) => { const f = process.env.DISTX + new URL(r.request().url()).pathname; const real = existsSync(f) && f.includes('.') ? f : process.env.DISTX + '/index.html'; const ext = real.split('.').pop(); r.fulfill({ body: readFileSync(real), contentType: { js: 'text/javascript', css: 'text/css', html: 'text/html', svg: 'image/svg+xml' }[ext] ?? 'application/octet-stream' }); }); }
    if (process.env.DEBUGX) { context.on('page', (p) => { p.on('console', (m) => console.log(username ?? '', 'console', m.text())); p.on('pageerror', (e) => console.log('pageerror', e)); p.on('websocket', (w) => { console.log('ws open'); w.on('close', () => console.log('ws close')); let n = 0; w.on('framereceived', () => n++ < 3 && console.log('ws recv')); w.on('framesent', (f) => n < 4 && console.log('ws sent', f.payload.length)); }); const o = p.screenshot; setTimeout(() => !p.isClosed() && p.screenshot({ path: '/tmp/exp/late' + (globalThis.cnt = (globalThis.cnt ?? 0) + 1) + '.png' }).catch(() => {}), 9000); }); }
    return context;
  };

  /** Somebody with an account, signed in. `admin` takes the set-up link. */
  world.person = async (username, { name = username, admin = false, language = 'en', ...options } = {}) => {
    const context = await world.context(options, username);
    const person = { username, name, password, context };
    person.call = async (method, path, data) => {
      const answer = await context.request.fetch(`/api/v1${path}`, {
        method,
        data,
        headers: { Origin: world.server.url },
      });
      const text = await answer.text();
      assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    };
    person.textOf = async (room) =>
      (await context.request.get(`/api/v1/rooms/${room}/text`)).text();
    if (admin) {
      const secret = new URL(world.server.setupUrl).hash.slice(1);
      const body = { secret, username, name, password, workspace: 'Test workspace', language };
      person.welcomeRoom = (await person.call('POST', '/auth/setup', body)).welcome_room;
    } else {
      const email = `${encodeURIComponent(username)}@example.org`;
      await person.call('POST', '/auth/register', { username, name, password, email, language });
    }
    return person;
  };

  /** A room of one person that others have rights to. */
  world.room = async (owner, kind, title, others = {}) => {
    const room = await owner.call('POST', '/rooms', { kind, title });
    for (const [username, right] of Object.entries(others)) {
      await owner.call('POST', `/rooms/${room.id}/grants`, { username, right });
    }
    return room;
  };
  return world;
}

/** Waits until a condition holds. The last failure is told when it never does. */
export async function until(what, condition, msMax = 20_000) {
  const end = Date.now() + msMax;
  for (;;) {
    let last;
    try {
      last = await condition();
      if (last === true) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      const shown = last instanceof Error ? last.message : JSON.stringify(last);
      assert.fail(`${what}: not within ${msMax} ms; last: ${shown}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Waits until something has the expected value. */
export function becomes(what, read, expected, msMax) {
  const equal = async () => {
    assert.deepEqual(await read(), expected);
    return true;
  };
  return until(what, equal, msMax);
}
