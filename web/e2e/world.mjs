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
export function useWorld({ args = ['--registration', 'open'], port = 0 } = {}) {
  const world = {};
  before(async () => {
    world.server = await startServer(args, port);
    world.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
  });
  after(async () => {
    await world.browser?.close();
    await world.server?.remove();
  });

  /** Somebody's browser, without an account yet. */
  world.context = async (options = {}) => {
    const context = await world.browser.newContext({
      baseURL: world.server.url,
      locale: 'en-US',
      timezoneId: 'UTC',
      viewport: { width: 1440, height: 900 },
      ...options,
    });
    context.setDefaultTimeout(15_000);
    return context;
  };

  /** Somebody with an account, signed in. `admin` takes the set-up link. */
  world.person = async (username, { name = username, admin = false, language = 'en', ...options } = {}) => {
    const context = await world.context(options);
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
      const answer = await person.call('POST', '/auth/setup', body);
      [person.token, person.welcomeRoom] = [answer.token, answer.welcome_room];
    } else {
      const email = `${encodeURIComponent(username)}@example.org`;
      const body = { username, name, password, email, language };
      person.token = (await person.call('POST', '/auth/register', body)).token;
    }
    return person;
  };

  /** A room of one person that others have rights to. */
  world.room = async (owner, kind, title, others = {}) => {
    const template = kind === 'doc' ? 'page' : undefined;
    const room = await owner.call('POST', '/rooms', { kind, title, template });
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
