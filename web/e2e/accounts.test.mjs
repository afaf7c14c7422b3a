/** Mail, forgotten passwords, and who may come in: what people and administrators see of it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { body, open } from './page.mjs';
import { freePort, startSmtp } from './smtp.mjs';
import { becomes, useWorld } from './world.mjs';

const smtp = await startSmtp();
const port = await freePort();
const mail = ['--smtp-url', `smtp://${smtp.address}?tls=off`, '--mail-from', 'Weft <weft@example.org>'];
const world = useWorld({ args: [...mail, '--public-url', `http://127.0.0.1:${port}`], port });
after(() => smtp.close());
const password = 'correct horse battery';
const newPassword = 'battery staple horse';

/** The administrator, once for all tests of this file. Afterwards anybody may register. */
let made;
const admin = () =>
  (made ??= (async () => {
    const lin = await world.person('lin', { admin: true, name: '林月' });
    await lin.call('PUT', '/admin/registration', { registration: 'open' });
    return lin;
  })());

async function looks(page, name) {
  await shoot(page, `accounts-${name}`);
  assert.deepEqual(await tooWide(page), [], name);
  assert.deepEqual(await axe(page), [], name);
}

test('an address is confirmed, and a forgotten password set anew by mail', async () => {
  await admin();
  const bo = await world.person('bo', { name: 'Bo' });
  const page = await bo.context.newPage();
  await page.goto('/settings');
  await page.getByText('Not confirmed yet.').waitFor();
  await smtp.link('bo@example.org', 'verify');
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('A new link is on its way.').waitFor();
  await page.goto(await smtp.link('bo@example.org', 'verify'));
  await looks(page, 'verify');
  await page.getByRole('button', { name: 'Confirm address' }).click();
  await page.getByText('bo@example.org is confirmed.').waitFor();
  await page.getByRole('link', { name: 'Go to Weft' }).click();
  await page.goto('/settings');
  await page.getByText('Address confirmed').waitFor();

  // Another address takes the password.
  await page.getByLabel('E-mail (optional)').fill('bo@example.net');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Please fill this in.').waitFor();
  await page.getByLabel('Present password').first().fill(password);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Profile changed').waitFor();
  await page.goto(await smtp.link('bo@example.net', 'verify'));
  await page.getByRole('button', { name: 'Confirm address' }).click();
  await page.getByText('bo@example.net is confirmed.').waitFor();
  await open(bo, await world.room(bo, 'doc', 'Diary'), { page });

  const other = await (await world.context({ viewport: { width: 390, height: 844 } })).newPage();
  await other.goto('/signin');
  await other.getByRole('link', { name: 'Forgotten your password?' }).click();
  await other.getByLabel('User name or e-mail').fill('BO@example.net');
  await looks(other, 'forgotten');
  await other.keyboard.press('Enter');
  await other.getByText('a link is on its way').waitFor();
  const link = await smtp.link('bo@example.net', 'reset');
  await other.goto(link);
  await other.getByLabel('New password').fill(newPassword);
  await looks(other, 'reset');
  await other.getByRole('button', { name: 'Set password' }).click();
  await other.getByText('The password of bo is set.').waitFor();
  await page.getByText('You were signed out. Sign in to go on').waitFor();
  await other.goto('/home');
  await other.goto(link);
  await other.getByLabel('New password').fill(newPassword);
  await other.getByRole('button', { name: 'Set password' }).click();
  await other.getByText('This link no longer works. Ask for a new one.').waitFor();
  await other.goto('/signin');
  await other.getByLabel('User name').fill('bo');
  await other.getByLabel('Password', { exact: true }).fill(newPassword);
  await other.keyboard.press('Enter');
  await other.waitForURL(/\/home/);
});

test('an administrator finds people, hands links over, shuts them out and lets them go', async () => {
  const lin = await admin();
  const cy = await world.person('cy', { name: 'Cy Young' });
  const dee = await world.person('dee', { name: 'Dee' });
  const plan = await world.room(cy, 'doc', 'Plan of Cy');
  await cy.call('POST', `/rooms/${plan.id}/grants`, { username: 'dee', right: 'edit' });
  const theirs = await open(cy, plan);
  await body(theirs).waitFor();

  const page = await lin.context.newPage();
  await page.goto('/admin');
  const people = page.getByRole('list', { name: 'People' });
  await people.getByText('Cy Young').waitFor();
  await looks(page, 'admin-en');
  await page.getByLabel('Name, user name or e-mail').fill('young');
  await becomes('one is found', () => people.getByRole('listitem').count(), 1);
  const act = async (name) => {
    await page.getByRole('button', { name: 'Actions for “Cy Young”' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
  };
  await act('Link to set a new password');
  const dialog = page.getByRole('dialog');
  const link = await dialog.getByTestId('invite-link').inputValue();
  await looks(page, 'admin-link');
  await dialog.getByRole('button', { name: 'Close' }).click();

  await act('Deactivate');
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await page.getByText('Cy Young can no longer sign in').waitFor();
  await theirs.getByText('You were signed out. Sign in to go on').waitFor();
  await theirs.getByLabel('User name').fill('cy');
  await theirs.getByLabel('Password', { exact: true }).fill(password);
  await theirs.keyboard.press('Enter');
  await theirs.getByText('User name or password is wrong.').waitFor();
  await act('Reactivate');
  await page.getByText('Cy Young can sign in again').waitFor();
  // The link ended when they were deactivated.
  await theirs.goto(link);
  await theirs.getByLabel('New password').fill(newPassword);
  await theirs.keyboard.press('Enter');
  await theirs.getByText('This link no longer works. Ask for a new one.').waitFor();

  await act('Make administrator');
  await page.getByText('Cy Young is an administrator').waitFor();
  await act('No longer administrator');
  await page.getByText('Cy Young is no longer an administrator').waitFor();
  await act('Delete account');
  await dialog.getByLabel('Who takes over').fill('cy');
  await dialog.getByRole('button', { name: 'Delete account' }).click();
  await dialog.getByText('There is nobody else of that user name').waitFor();
  await looks(page, 'admin-delete');
  await dialog.getByLabel('Who takes over').fill('dee');
  await dialog.getByRole('button', { name: 'Delete account' }).click();
  await page.getByText('Account of Cy Young deleted').waitFor();
  const kept = await dee.call('GET', `/rooms/${plan.id}`);
  assert.deepEqual([kept.right, kept.owner.username, kept.space.name], ['manage', 'dee', 'Cy Young']);

  await page.getByRole('radio', { name: 'With an invite link' }).click();
  await page.getByText('Sign-up changed').waitFor();
  assert.equal((await lin.call('GET', '/auth/setup')).registration, 'invite');
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await becomes('undone', async () => (await lin.call('GET', '/auth/setup')).registration, 'open');
  await page.getByText('Enter an e-mail address in Settings to send yourself a test.').waitFor();

  const context = await world.context({ locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 390, height: 844 } });
  await context.addCookies(await lin.context.cookies());
  const phone = await context.newPage();
  await phone.goto('/admin');
  await phone.getByRole('list', { name: '成员' }).getByText('Dee', { exact: true }).waitFor();
  await looks(phone, 'admin-zh');
  await phone.getByRole('heading', { name: '邮件' }).scrollIntoViewIfNeeded();
  await shoot(phone, 'accounts-admin-zh-mail');
});

test('a picture stands beside a name, and an account can be left', async () => {
  await admin();
  const eve = await world.person('eve', { name: 'Eve' });
  const page = await eve.context.newPage();
  await page.goto('/settings');
  const buffer = await page.screenshot({ clip: { x: 0, y: 0, width: 400, height: 300 } });
  const file = (name, content) => ({ name, mimeType: 'image/png', buffer: content });
  const choose = async (chosen) => {
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: /^(Choose a|Change) picture$/ }).click();
    await (await chooser).setFiles(chosen);
  };
  await choose(file('x.png', Buffer.from('no picture')));
  await page.getByText('This file is no picture that can be used.').waitFor();
  await choose(file('me.png', buffer));
  await page.getByText('Picture changed').waitFor();
  const shown = () => page.getByTestId('me-menu').locator('img').evaluate((image) => image.naturalWidth);
  await becomes('the picture', shown, 256);
  await looks(page, 'picture');
  await page.getByRole('button', { name: 'Remove picture' }).click();
  await page.getByText('Picture removed').waitFor();
  await becomes('initials', () => page.getByTestId('me-menu').locator('img').count(), 0);

  await page.getByRole('button', { name: 'Delete account' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Present password').fill('a guess');
  await dialog.getByRole('button', { name: 'Delete account' }).click();
  await dialog.getByText('This is not your password.').waitFor();
  await looks(page, 'leave');
  await dialog.getByLabel('Present password').fill(password);
  await dialog.getByRole('button', { name: 'Delete account' }).click();
  await page.waitForURL(/\/signin/);
  await page.getByLabel('User name').fill('eve');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await page.getByText('User name or password is wrong.').waitFor();
});
