/** Sign-in by way of a provider of OpenID Connect, in a real browser and with a real provider. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { signOut } from './page.mjs';
import { client, signInThere, startProvider } from './provider.mjs';
import { freePort } from './smtp.mjs';
import { becomes, useWorld } from './world.mjs';

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const people = {
  yue: { name: '林月', preferred_username: 'yue', email: 'yue@example.org', email_verified: true },
  lin: { name: 'Lin', preferred_username: 'lin', email: 'lin@example.org', email_verified: true },
};
const provider = await startProvider(`${url}/api/v1/auth/oidc/callback`, people);
after(() => provider.close());
const world = useWorld({
  args: [
    ...['--public-url', url, '--oidc-issuer', provider.issuer, '--oidc-client-id', client.id],
    ...['--oidc-client-secret', client.secret, '--oidc-name', 'Example'],
  ],
  port,
});

/** The administrator, once for all tests of this file. */
let made;
const admin = () => (made ??= world.person('admin', { admin: true, name: 'Admin' }));
const register = async (registration) =>
  (await admin()).call('PUT', '/admin/registration', { registration });

async function looks(page, name) {
  for (const [size, width] of [['desktop', 1440], ['phone', 390]]) {
    await page.setViewportSize({ width, height: 900 });
    await shoot(page, `oidc-${name}-${size}`);
    assert.deepEqual(await tooWide(page), [], `${name} ${size}`);
    assert.deepEqual(await axe(page), [], `${name} ${size}`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** Somebody's browser, which has been with the provider. */
async function comes(login, options) {
  const page = await (await world.context(options)).newPage();
  await page.goto('/signin');
  await page.getByRole('button', { name: /Sign in with Example|使用 Example 登录/ }).click();
  await signInThere(page, login);
  return page;
}

/** Somebody's browser on the page of an invite link, about to leave for the provider. */
async function invited(secret, options) {
  const page = await (await world.context(options)).newPage();
  await page.goto(`/invite#${secret}`);
  await page.getByRole('button', { name: /Continue with Example|使用 Example 继续/ }).waitFor();
  return page;
}

/** Leaves, and comes back. */
async function joins(page, login) {
  await page.getByRole('button', { name: /Continue with Example|使用 Example 继续/ }).click();
  await signInThere(page, login);
}

/** A new link to the workspace: its secret. */
const workspaceInvite = async (form) => (await (await admin()).call('POST', '/admin/invites', form)).secret;

const me = async (page) => (await (await page.request.get('/api/v1/auth/me')).json()).user;

/** Signs in with a password, in a browser of its own. */
async function withPassword(person) {
  const page = await person.context.newPage();
  await page.goto('/settings');
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  return page;
}

test('nobody gets an account where registration is not open, or whom the provider does not let in', async () => {
  await admin();
  const page = await comes('yue', { locale: 'zh-CN', colorScheme: 'dark' });
  await page.waitForURL(/\/signin/);
  await page.getByRole('alert').getByText('注册').waitFor();
  await looks(page, 'closed-zh-dark');
  assert.equal((await page.request.get('/api/v1/auth/me')).status(), 401);
  assert.ok(!page.url().includes('failed'), page.url());
  await page.reload();
  await page.getByRole('button', { name: '使用 Example 登录' }).waitFor();
  assert.equal(await page.getByRole('alert').getByText('注册').count(), 0);

  const other = await (await world.context()).newPage();
  await other.goto('/signin');
  await looks(other, 'sign-in');
  await other.getByRole('button', { name: 'Sign in with Example' }).click();
  await other.getByRole('link', { name: 'Cancel' }).click();
  await other.getByText('You were not let in there.').waitFor();
});

test('an unknown person gets an account, and comes back to it', async () => {
  await register('open');
  const page = await comes('yue');
  await page.waitForURL(/\/home/);
  const yue = await me(page);
  assert.deepEqual(
    [yue.username, yue.name, yue.email, yue.email_verified, yue.has_password],
    ['yue', '林月', 'yue@example.org', true, false],
  );
  await page.goto('/settings');
  await page.getByText('To unlink it, set a password first').waitFor();
  await looks(page, 'settings-without-password');
  await signOut(page);
  await page.waitForURL(/\/signin/);

  // The provider remembers them: no word is typed. Where they wanted to go is not forgotten.
  await page.goto('/inbox');
  await page.waitForURL(/\/signin\?next/);
  await page.getByRole('button', { name: 'Sign in with Example' }).click();
  await page.waitForURL(/\/inbox/);
  assert.equal((await me(page)).id, yue.id);

  // Minutes after the provider has seen them they set a password.
  await page.goto('/settings');
  await page.getByLabel('New password').fill('correct horse battery');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByText('Password changed.').waitFor();
  await page.getByRole('button', { name: 'Unlink Example' }).waitFor();

  // Who has the address of somebody with an account does not get into it.
  people.eve = { email: 'YUE@example.org', email_verified: true };
  const eve = await comes('eve');
  await eve.getByText('Somebody has an account with your e-mail address.').waitFor();
  await looks(eve, 'email-taken');
});

test('who has an account links the provider, signs in by it, and unlinks it', async () => {
  await register('open');
  const lin = await world.person('lin', { name: 'Lin' });
  const page = await withPassword(lin);
  await page.getByRole('button', { name: 'Link Example' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Present password').fill('a guess');
  await dialog.getByRole('button', { name: 'Link Example' }).click();
  await dialog.getByText('This is not your password.').waitFor();
  const caret = () => dialog.getByLabel('Present password').evaluate((field) => field === document.activeElement);
  await becomes('the caret is in the field of the dialog', caret, true);
  await looks(page, 'link');
  await dialog.getByLabel('Present password').fill(lin.password);
  await dialog.getByRole('button', { name: 'Link Example' }).click();
  await signInThere(page, 'lin');
  await page.getByText('Linked. You can sign in with it from now on.').waitFor();
  await page.getByText('Linked since').scrollIntoViewIfNeeded();
  await looks(page, 'linked');

  const again = await comes('lin');
  await again.waitForURL(/\/home/);
  assert.equal((await me(again)).username, 'lin');

  // Somebody else cannot have it too.
  const bo = await world.person('bo', { name: 'Bo' });
  const theirs = await withPassword(bo);
  await theirs.getByRole('button', { name: 'Link Example' }).click();
  await theirs.getByRole('dialog').getByLabel('Present password').fill(bo.password);
  await theirs.getByRole('dialog').getByRole('button', { name: 'Link Example' }).click();
  await signInThere(theirs, 'lin');
  await theirs.getByText('Somebody else signs in here as this person already.').waitFor();

  await page.getByRole('button', { name: 'Unlink Example' }).click();
  await dialog.getByLabel('Present password').fill(lin.password);
  await dialog.getByRole('button', { name: 'Unlink Example' }).click();
  await page.getByText('Example is unlinked.').waitFor();
  await page.getByText('Not linked').waitFor();
});

test('an old sign-in is shown to the provider again', async () => {
  await register('open');
  people.cy = { preferred_username: 'cy' };
  const page = await comes('cy');
  await page.waitForURL(/\/home/);
  await page.goto('/tokens');
  // The server calls a sign-in old after a week; here it does once, by what the browser is told.
  let told = 0;
  await page.route('**/api/v1/tokens', (route) => {
    if (route.request().method() !== 'POST' || told++ > 0) return route.fallback();
    return route.fulfill({ status: 403, json: { error: { code: 'sign_in_again', params: {} } } });
  });
  const make = async () => {
    await page.getByRole('button', { name: 'New token' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('script');
    await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
  };
  await make();
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).count(), 0);
  await looks(page, 'again');
  await page.getByRole('button', { name: 'Go on with Example' }).click();
  // It does not take the provider's own cookie for an answer.
  await signInThere(page, 'cy');
  await page.waitForURL(/\/tokens/);
  await page.getByText('Thank you. You can go on now.').waitFor();
  await make();
  await page.getByTestId('fresh-token').waitFor();
});

test('two-step sign-in that is on here is asked for, and who is deactivated stays out', async () => {
  await register('open');
  people.dan = { preferred_username: 'dan' };
  const first = await comes('dan');
  await first.waitForURL(/\/home/);
  const call = async (path, data) => {
    const answer = await first.request.post(`/api/v1/auth/${path}`, { data, headers: { Origin: url } });
    assert.ok(answer.ok(), await answer.text());
    return answer.json();
  };
  const { secret } = await call('second-factor', {});
  const { recovery_codes: codes } = await call('second-factor/confirm', { code: codeOf(secret) });

  const page = await comes('dan');
  await page.getByRole('heading', { name: 'One more step' }).waitFor();
  await looks(page, 'code');
  await page.getByLabel('Code').fill('000000');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Code').and(page.locator('[aria-invalid="true"]')).waitFor();
  await page.getByLabel('Code').fill(codes[0]);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(/\/home/);
  const { id } = await me(page);

  await (await admin()).call('PATCH', `/admin/people/${id}`, { active: false });
  await becomes('signed out', async () => (await page.request.get('/api/v1/auth/me')).status(), 401);
  const out = await comes('dan');
  await out.getByText('Your account is deactivated.').waitFor();
});

test('an invite link lets in somebody new by way of the provider, whoever may register', async () => {
  await register('closed');
  people.fay = { name: 'Fay', preferred_username: 'fay' };
  const secret = await workspaceInvite({ uses_max: 1 });
  const [page, late] = [await invited(secret), await invited(secret)];
  await looks(page, 'invite');
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await joins(page, 'fay');
  await page.waitForURL(/\/home/);
  const fay = await me(page);
  assert.deepEqual([fay.username, fay.has_password], ['fay', false]);
  assert.ok(asked.some((address) => address.startsWith(provider.issuer)));
  assert.deepEqual(asked.filter((address) => address.includes(secret)), []);
  assert.equal(await page.evaluate(() => sessionStorage.getItem('weft.invite')), null);

  // Whoever comes after the last use hears of it before they leave.
  await late.getByRole('button', { name: 'Continue with Example' }).click();
  await late.getByText('This link no longer works.').waitFor();
  assert.equal((await late.request.get('/api/v1/auth/me')).status(), 401);

  // One to a document leads there, also somebody who has an account.
  const room = await world.room(await admin(), 'doc', 'Plan');
  const link = await (await admin()).call('POST', `/rooms/${room.id}/invites`, { right: 'read' });
  const again = await invited(link.secret);
  await again.getByRole('button', { name: 'I have an account' }).click();
  await joins(again, 'fay');
  await again.waitForURL(new RegExp(`/o/${room.id}`));
  assert.equal((await me(again)).id, fay.id);
});

test('of two who are with the provider at once by a last use one is let in', async () => {
  const secret = await workspaceInvite({ uses_max: 1 });
  const [page, late] = [await invited(secret), await invited(secret, { locale: 'zh-CN' })];
  for (const tab of [page, late]) {
    await tab.getByRole('button', { name: /Continue with Example|使用 Example 继续/ }).click();
    await tab.waitForURL(/\/interaction\//);
  }
  await signInThere(page, 'gil');
  await page.waitForURL(/\/home/);
  await signInThere(late, 'hal');
  await late.getByText('链接已失效').waitFor();
  assert.equal((await late.request.get('/api/v1/auth/me')).status(), 401);
});

test('an invite link for one address is for whom the provider knows by it', async () => {
  await register('invite');
  people.ida = { preferred_username: 'ida', email: 'ida@elsewhere.example', email_verified: true };
  const secret = await workspaceInvite({ email: 'ida@example.org' });
  const page = await invited(secret, { locale: 'zh-CN', colorScheme: 'dark' });
  await joins(page, 'ida');
  await page.getByRole('alert').getByText('此邀请仅限指定邮箱').waitFor();
  assert.ok(!page.url().includes('failed'), page.url());
  await looks(page, 'invite-address-zh-dark');
  assert.equal((await page.request.get('/api/v1/auth/me')).status(), 401);

  people.ida.email = 'Ida@example.org';
  await page.getByRole('button', { name: '使用 Example 继续' }).click();
  await page.waitForURL(/\/home/);
  const ida = await me(page);
  assert.deepEqual([ida.email, ida.email_verified, ida.language], ['Ida@example.org', true, 'zh']);
});

/** What an authenticator app shows now (RFC 6238). */
function codeOf(secret) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
