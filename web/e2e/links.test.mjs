/** Access by link: an owner, a member and a guest in a private window, while rights change; and asking again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { axe, shoot, tooWide } from './looks.mjs';
import { blocks, body, caretAtEnd, faces, open, readOnly, saved } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld();

async function share(page) {
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  return page.getByRole('dialog', { name: /^Share/ });
}

const reach = (dialog) => dialog.getByRole('combobox', { name: 'Who can open it by link' });
const linkOf = async (person, room) => {
  const { link } = await person.call('GET', `/rooms/${room.id}/link`);
  return `/o/${room.id}#k=${link.secret}`;
};

test('three people write by name, by link and as a guest, and feel changes of rights at once', async () => {
  const lin = await world.person('lin', { admin: true, name: 'Lin Yue' });
  const an = await world.person('an', { name: 'An Bo' });
  const room = await world.room(lin, 'doc', 'Plan');
  const owner = await open(lin, room);
  const dialog = await share(owner);
  await reach(dialog).selectOption('workspace');
  await owner.getByText('Anyone in this workspace with the link can open it now').waitFor();
  await dialog.getByRole('combobox', { name: 'What the link allows' }).selectOption('edit');
  await owner.getByText('With the link: Can edit').waitFor();

  // A member opens it, a guest may not yet.
  const member = await an.context.newPage();
  await member.goto(await linkOf(lin, room));
  await body(member).waitFor();
  assert.equal(new URL(member.url()).hash, '', 'who is signed in needs the secret no more');
  const private_ = await world.context();
  const guest = await private_.newPage();
  await guest.goto(await linkOf(lin, room));
  await guest.getByText('This link is for people of this workspace.').waitFor();
  await guest.close();

  await reach(dialog).selectOption('public');
  await owner.getByRole('button', { name: 'Let them in' }).click();
  await owner.getByText('also without an account').waitFor();
  await dialog.getByRole('button', { name: 'QR code' }).click();
  await dialog.getByRole('img', { name: 'QR code of the link' }).waitFor();
  await dialog.getByText('2 people can open this').click();
  await becomes(
    'who can open it',
    () => dialog.getByTestId('share-who').locator('li').last().innerText(),
    'Anyone with the link\nCan edit',
  );
  assert.deepEqual(await axe(owner), []);
  await owner.keyboard.press('Escape');

  const link = await linkOf(lin, room);
  const page = await private_.newPage();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Open “Plan”' }).waitFor();
  await shoot(page, 'guest-form');
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByText('Please fill this in.').waitFor();
  await page.getByRole('textbox', { name: 'Your name' }).fill('Ann');
  await page.keyboard.press('Enter');
  await body(page).waitFor();
  await caretAtEnd(page);
  await page.keyboard.type('by a guest');
  await saved(page);
  await becomes('what the guest wrote, at the owner', () => blocks(owner), ['by a guest']);
  await becomes('what the guest wrote, at the member', () => blocks(member), ['by a guest']);
  await becomes('who is here', () => faces(owner), ['An Bo', 'Ann (guest)', 'Lin Yue (you)']);
  for (const name of ['Share', 'Star']) {
    assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  }
  assert.deepEqual(await tooWide(page), []);

  // The address brings the same guest back, without a question.
  await page.reload();
  await body(page).waitFor();
  await becomes('who is here again', () => faces(owner), ['An Bo', 'Ann (guest)', 'Lin Yue (you)']);

  const again = await share(owner);
  await again.getByRole('combobox', { name: 'What the link allows' }).selectOption('read');
  const said = owner.getByRole('status').filter({ hasText: 'With the link: Can view' });
  // It stays while somebody points at it.
  await said.hover();
  await until('the guest only reads, in place', () => readOnly(page));
  await until('so does the member', () => readOnly(member));
  await said.getByRole('button', { name: 'Undo' }).click();
  await until('the guest writes again', async () => !(await readOnly(page)));

  await again.getByRole('button', { name: 'Make a new link' }).click();
  const asked = owner.getByRole('dialog').filter({ hasText: 'The old one is dead at once' });
  await asked.getByRole('button', { name: 'Make a new link' }).click();
  await page.getByText(/This link no longer works|You no longer have access/).first().waitFor();
  await member.getByText('You no longer have access to this.').waitFor();
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByText('This link no longer works. Ask for a new one.').waitFor();

  await owner.getByRole('button', { name: 'Sharing history' }).click();
  const history = owner.getByRole('list', { name: 'Sharing history' });
  await history.getByText('Lin Yue made a new link to “Plan”').waitFor();
  assert.deepEqual(await axe(owner), []);

  await owner.goto('/admin');
  const audit = owner.getByTestId('audit');
  await audit.getByText('Lin Yue made a new link to “Plan”').waitFor();
  await audit.getByText('Ann (guest) opened “Plan” by its link').waitFor();
  await owner.getByRole('textbox', { name: 'User name' }).fill('an');
  await owner.getByRole('button', { name: 'Show only' }).click();
  await until('only what An did', async () => (await audit.getByText('Lin Yue').count()) === 0);
  await audit.getByText('An Bo opened “Plan” by its link').waitFor();
  assert.deepEqual(await axe(owner), []);
});

test('a password stands before the title, and people are found while one types', async () => {
  const mei = await world.person('mei', { name: 'Mei' });
  await world.person('xiaoyu', { name: '王小雨' });
  const room = await world.room(mei, 'doc', 'Secret plan');
  const owner = await open(mei, room);
  const dialog = await share(owner);
  await reach(dialog).selectOption('public');
  await owner.getByRole('button', { name: 'Let them in' }).click();
  await dialog.getByRole('button', { name: 'Ask for a password' }).click();
  await dialog.getByRole('textbox', { name: 'Password of the link' }).fill('open sesame');
  await owner.keyboard.press('Enter');
  await dialog.getByText('The link asks for a password.').waitFor();

  const page = await (await world.context()).newPage();
  await page.goto(await linkOf(mei, room));
  await page.getByRole('heading', { name: 'Somebody shared this with you' }).waitFor();
  assert.equal(await page.getByText('Secret plan').count(), 0);
  const password = page.getByRole('textbox', { name: 'Password of the link' });
  await password.fill('wrong password');
  await page.keyboard.press('Enter');
  await page.getByText('That is not the password of this link.').waitFor();
  await password.fill('open sesame');
  await page.keyboard.press('Enter');
  await until('the guest reads', () => readOnly(page));
  await becomes('a guest without a name', () => faces(owner), ['Guest', 'Mei (you)']);

  const to = dialog.getByRole('combobox', { name: 'Name, user name, e-mail, or a space' });
  await to.fill('王');
  await owner.getByRole('option', { name: '王小雨 (xiaoyu)' }).click();
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByTestId('share-people').getByText('王小雨').waitFor();
});
