/** One's own settings, and the administrator's page. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { body, open } from './page.mjs';
import { becomes, useWorld } from './world.mjs';

const world = useWorld({ args: [] });
const password = 'correct horse battery';
const newPassword = 'battery staple horse';

/** The administrator, once for all tests of this file. */
let made;
const admin = () => (made ??= world.person('lin', { admin: true, name: 'Lin' }));

/** Makes a link on the administrator's page, and gives it. */
async function inviteLink(page, { email = '' } = {}) {
  await page.goto('/home');
  await page.getByTestId('me-menu').click();
  await page.getByRole('menuitem', { name: 'Administration' }).click();
  await page.getByLabel('For this e-mail address (optional)').fill(email);
  await page.getByRole('button', { name: 'Create link' }).click();
  return page.getByTestId('invite-link').inputValue();
}

/** Signs in by hand, in a browser of its own. */
async function signIn(username, secret) {
  const page = await (await world.context()).newPage();
  await page.goto('/signin');
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(/\/home/);
  return page;
}

test('an administrator invites somebody, who makes an account and lands at home', async () => {
  const lin = await (await admin()).context.newPage();
  const link = await inviteLink(lin, { email: 'bo@example.org' });
  await lin.getByText('bo@example.org').waitFor();

  const page = await (await world.context()).newPage();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Lin invites you' }).waitFor();
  assert.equal(await page.getByLabel('E-mail').inputValue(), 'bo@example.org');
  await page.getByLabel('User name').fill('bo');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.waitForURL(/\/home/);
  await page.getByText('Nothing here yet. Create something.').waitFor();

  // It was for one.
  const other = await (await world.context()).newPage();
  await other.goto(link);
  await other.getByText('This link no longer works. Ask for a new one.').first().waitFor();

  // Somebody who is here already is led home by a link that works.
  const second = await inviteLink(lin);
  await page.goto(second);
  await page.waitForURL(/\/home/);
  await lin.getByRole('button', { name: 'Revoke “For whoever has the link”' }).click();
  await lin.getByText('Link revoked').waitFor();
  await other.goto(second);
  await other.getByText('This link no longer works. Ask for a new one.').first().waitFor();
  // The page is for administrators.
  await page.goto('/admin');
  await page.getByText("This doesn't exist, or you don't have access.").first().waitFor();
});

test('a lost device is signed out from afar, and a new password ends the others', async () => {
  const link = await inviteLink(await (await admin()).context.newPage());
  const page = await (await world.context()).newPage();
  await page.goto(link);
  await page.getByLabel('User name').fill('cy');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.waitForURL(/\/home/);
  const made = await page.request.post('/api/v1/rooms', {
    data: { kind: 'doc', title: 'Diary', template: 'page' },
    headers: { Origin: world.server.url },
  });
  const diary = await made.json();
  /** A further device, with the document open. */
  const device = async () => {
    const tab = await signIn('cy', password);
    await tab.goto(`/o/${diary.id}`);
    await body(tab).waitFor();
    return tab;
  };
  const lost = await device();

  await page.getByTestId('me-menu').click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  const devices = page.getByRole('list', { name: 'Where you are signed in' });
  await devices.getByText('This device').waitFor();
  await becomes('both are listed', () => devices.getByRole('listitem').count(), 2);
  await devices.getByRole('button', { name: 'Sign out: Chrome on Linux' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await becomes('one is gone', () => devices.getByRole('listitem').count(), 1);
  await lost.getByText('You were signed out. Sign in to go on').waitFor();

  const again = await device();
  await page.getByLabel('Present password').fill('something else');
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('8 to 256 characters').waitFor();
  await page.getByLabel('New password').fill(newPassword);
  await page.getByRole('button', { name: 'Change password' }).press('Enter');
  await page.getByText('This is not your password.').waitFor();
  await page.getByLabel('Present password').fill(password);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByText('Password changed. You are signed out everywhere else.').waitFor();
  await again.getByText('You were signed out. Sign in to go on').waitFor();
  assert.equal(await page.getByLabel('New password').inputValue(), '');
  await signIn('cy', newPassword);
});

test('a name, a time zone and a language are kept on the server', async () => {
  const lin = await admin();
  const page = await lin.context.newPage();
  await page.goto('/settings');
  await page.getByLabel('Your name').fill('林月');
  await page.getByLabel('Phone (optional)').fill('call me');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('3 to 32 digits, such as +86 10 1234 5678').waitFor();
  await page.getByLabel('Phone (optional)').fill('+86 10 1234');
  const zone = page.getByRole('combobox', { name: 'Time zone' });
  await zone.fill('Shang');
  await page.getByRole('option', { name: 'Asia/Shanghai' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Profile changed').waitFor();
  const { user } = await lin.call('GET', '/auth/me');
  assert.deepEqual(
    [user.name, user.phone, user.time_zone, user.email],
    ['林月', '+86 10 1234', 'Asia/Shanghai', null],
  );
  // Times are those of the zone at once: the browser's own is UTC.
  const devices = page.getByRole('list', { name: 'Where you are signed in' });
  const title = () => devices.locator('[title*="GMT+8"]').count();
  await becomes('by the zone', title, 1);

  await page.getByRole('radiogroup', { name: 'Language' }).getByText('中文').click();
  await page.getByRole('heading', { name: '设置' }).waitFor();
  await becomes('the server knows', async () => (await lin.call('GET', '/auth/me')).user.language, 'zh');
  await page.getByRole('radiogroup', { name: '语言' }).getByText('English').click();
  await page.getByRole('heading', { name: 'Settings' }).waitFor();

  // Others see the name once the document is opened anew.
  const doc = await open(lin, lin.welcomeRoom);
  await body(doc).waitFor();
  await becomes('the new name', () => doc.getByText('林月').count().then((n) => n > 0), true);
});

/** What an authenticator app shows `ahead` steps of 30 s from now (RFC 6238). */
function codeOf(secret, ahead = 0) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

test('two-step sign-in is turned on, asked for, helped out of, and turned off', async () => {
  const link = await inviteLink(await (await admin()).context.newPage());
  const context = await world.context({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const looks = async (name) => {
    await shoot(page, `factor-${name}`);
    assert.deepEqual(await tooWide(page), [], name);
    assert.deepEqual(await axe(page), [], name);
  };
  await page.goto(link);
  await page.getByLabel('User name').fill('dee');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.waitForURL(/\/home/);
  await page.goto('/settings');
  await page.getByRole('button', { name: 'Turn on two-step sign-in' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Present password').fill('a guess');
  await dialog.getByRole('button', { name: 'Next' }).click();
  await dialog.getByText('This is not your password.').waitFor();
  await dialog.getByLabel('Present password').fill(password);
  await dialog.getByRole('button', { name: 'Next' }).click();
  const secret = (await dialog.getByTestId('factor-secret').innerText()).replaceAll(' ', '');
  await looks('secret');
  await dialog.getByRole('textbox', { name: 'Code' }).fill('nothing');
  await dialog.getByRole('button', { name: 'Turn on two-step sign-in' }).click();
  await dialog.getByText('This code is wrong, or was used before.').waitFor();
  await dialog.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret));
  await dialog.getByRole('button', { name: 'Turn on two-step sign-in' }).click();
  const codes = (await dialog.getByTestId('recovery-codes').innerText()).split(/\s+/).filter(Boolean);
  assert.equal(codes.length, 10);
  await looks('codes');
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Turn off two-step sign-in' }).waitFor();

  const other = await (await world.context()).newPage();
  await other.goto('/signin');
  await other.getByLabel('User name').fill('dee');
  await other.getByLabel('Password', { exact: true }).fill(password);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  // The next step's: the one of now has been used, and clocks may differ by one.
  await other.getByRole('textbox', { name: 'Code' }).fill(codeOf(secret, 1));
  await other.keyboard.press('Enter');
  await other.waitForURL(/\/home/);

  await page.getByRole('button', { name: 'Turn off two-step sign-in' }).click();
  await dialog.getByLabel('Present password').fill(password);
  await dialog.getByRole('textbox', { name: 'Code' }).fill(codes[0].toUpperCase());
  await looks('off');
  await dialog.getByRole('button', { name: 'Turn off two-step sign-in' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Turn on two-step sign-in' }).waitFor();
  await signIn('dee', password);
});
