/** Spaces: teams that write together, folders that are moved, and what leads from one to another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blocks, body, caretAtEnd, choose, open, readOnly, roomOf, saved, tree } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld();

/** A team of one person, with the others as members. */
async function team(owner, name, members = []) {
  const space = await owner.call('POST', '/spaces', { name });
  for (const [person, role] of members) {
    await owner.call('POST', `/spaces/${space.id}/members`, { username: person.username, role });
    await person.call('POST', `/spaces/${space.id}/answer`, { agree: true });
  }
  return space;
}

const makeFolder = (person, space, name, parent = null) =>
  person.call('POST', '/folders', { space: space.id, parent, name });
const makeDoc = (person, space, title, folder = null) =>
  person.call('POST', '/rooms', { kind: 'doc', template: 'page', title, space: space.id, folder });

test('a team is made, somebody invited agrees, and both write in a document in a folder', async () => {
  const lin = await world.person('lin', { admin: true });
  const an = await world.person('an', { name: 'An Bo' });
  const left = await lin.context.newPage();
  await left.goto('/home');
  await left.getByRole('button', { name: 'New space' }).click();
  await left.getByRole('textbox', { name: 'Name of the space' }).fill('Design team');
  await left.keyboard.press('Enter');
  await left.getByRole('heading', { name: 'Design team' }).waitFor();

  await left.getByTestId('members-button').click();
  const dialog = left.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'User name' }).fill('nobody-of-that-name');
  await dialog.getByRole('button', { name: 'Invite' }).click();
  await dialog.getByText('There is nobody of that user name.').waitFor();
  await dialog.getByRole('textbox', { name: 'User name' }).fill('an');
  await dialog.getByRole('button', { name: 'Invite' }).click();
  await dialog.getByText('Invited', { exact: true }).waitFor();
  await left.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  const right = await an.context.newPage();
  await right.goto('/home');
  await right.getByText('lin invites you to “Design team”').waitFor();
  await right.getByRole('button', { name: 'Agree' }).click();
  await right.getByRole('heading', { name: 'Design team' }).waitFor();

  await left.getByRole('button', { name: 'New folder' }).click();
  await left.getByRole('textbox', { name: 'Name of the folder' }).fill('Plans');
  await left.keyboard.press('Enter');
  await left.getByRole('main').getByRole('link', { name: 'Plans' }).click();
  await left.getByText('This folder is empty.').waitFor();
  await left.getByTestId('new-here').click();
  await left.getByRole('menuitem', { name: 'Document' }).click();
  await left.waitForURL(/\/o\//);
  await body(left).waitFor();
  const path = left.getByRole('navigation', { name: 'Where this is' });
  await becomes('where it stands', () => path.getByRole('link').allInnerTexts(), ['Design team', 'Plans']);

  await open(an, roomOf(left), { page: right });
  await caretAtEnd(left);
  await left.keyboard.type('from Lin');
  await becomes('what Lin wrote at An', () => blocks(right), ['from Lin']);
  await caretAtEnd(right);
  await right.keyboard.type(', and An');
  await becomes('what An wrote at Lin', () => blocks(left), ['from Lin, and An']);
  await Promise.all([saved(left), saved(right)]);
});

test('a role that changes is felt at once where a document is open', async () => {
  const mei = await world.person('mei');
  const bo = await world.person('bo');
  const space = await team(mei, 'Roles', [[bo, 'editor']]);
  const doc = await makeDoc(mei, space, 'Plan');
  const page = await open(bo, doc);
  assert.equal(await readOnly(page), false);

  const boss = await mei.context.newPage();
  await boss.goto(`/space/${space.id}`);
  await boss.getByTestId('members-button').click();
  await boss.getByRole('combobox', { name: 'Role of bo' }).selectOption('viewer');
  await until('read-only in place', () => readOnly(page));
  await page.getByText('You can now only view this').first().waitFor();
  await boss.getByRole('button', { name: 'Undo' }).click();
  await until('editable again in place', async () => !(await readOnly(page)));

  await boss.getByRole('button', { name: 'Actions for “bo”' }).click();
  await boss.getByRole('menuitem', { name: 'Remove' }).click();
  await boss.getByRole('dialog', { name: /^Remove/ }).getByRole('button', { name: 'Remove' }).click();
  await page.getByText('You no longer have access to this.').first().waitFor();

  await boss.keyboard.press('Escape');
  await boss.getByTestId('members-button').waitFor();
  await boss.getByRole('main').getByRole('button', { name: 'Actions for “Roles”' }).click();
  await boss.getByRole('menuitem', { name: 'Audit' }).click();
  const audit = boss.getByRole('list', { name: 'Audit' });
  await audit.getByText('mei removed bo from “Roles”').waitFor();
  await audit.getByText('mei changed the role of bo in “Roles” to Viewer').waitFor();
  await page.goto(`/audit/${space.id}`);
  await page.getByText("This doesn't exist, or you don't have access.").waitFor();
});

test('moved by menu and by drag, also to another space, and back by Undo', async () => {
  const wen = await world.person('wen');
  const space = await team(wen, 'Moving');
  const [one, two] = [await makeFolder(wen, space, 'One'), await makeFolder(wen, space, 'Two')];
  const inner = await makeFolder(wen, space, 'Inner', one.id);
  const doc = await makeDoc(wen, space, 'Travels');
  const place = async () => {
    const room = await wen.call('GET', `/rooms/${doc.id}`);
    return [room.space.kind, room.folder?.name ?? null];
  };
  const page = await wen.context.newPage();
  await page.goto(`/space/${space.id}`);

  await choose(page, 'Travels', 'Move…');
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByRole('button', { name: 'Move here' }).isDisabled(), true, 'it is here');
  await tree.row(dialog, 'Inner').click();
  await dialog.getByRole('button', { name: 'Move here' }).click();
  await becomes('the place', place, ['team', 'Inner']);
  await page.getByRole('button', { name: 'Undo' }).click();
  await becomes('the place after Undo', place, ['team', null]);

  await tree.open(page, 'Moving');
  await tree.row(page, 'Travels').dragTo(tree.row(page, 'Two'));
  await becomes('the place', place, ['team', 'Two']);
  await tree.row(page, 'Two').dragTo(tree.row(page, 'One'));
  const parent = async () =>
    (await wen.call('GET', `/spaces/${space.id}`)).folders.find(({ id }) => id === two.id).parent;
  await becomes('the folder', parent, one.id);

  await tree.open(page, 'One');
  await tree.row(page, 'One').dragTo(tree.row(page, 'Inner'));
  assert.equal(await parent(), one.id);
  const folders = (await wen.call('GET', `/spaces/${space.id}`)).folders;
  assert.equal(folders.find(({ id }) => id === one.id).parent, null, 'not into itself');
  assert.equal(folders.find(({ id }) => id === inner.id).parent, one.id);

  await tree.open(page, 'Two');
  await tree.row(page, 'Travels').dragTo(tree.row(page, 'My space'));
  await becomes('the place', place, ['personal', null]);
});

test('a folder goes to the trash with all in it, and comes back with all in it', async () => {
  const yu = await world.person('yu');
  const space = await team(yu, 'Tidy');
  const folder = await makeFolder(yu, space, 'Old plans');
  const doc = await makeDoc(yu, space, 'Inside', folder.id);
  const page = await yu.context.newPage();
  await page.goto(`/space/${space.id}/${folder.id}`);
  await page.getByRole('main').getByRole('link', { name: 'Inside' }).waitFor();
  await choose(page, 'Old plans', 'Move to trash');
  await page.waitForURL(new RegExp(`/space/${space.id}$`));
  await page.getByText('This space is empty.').waitFor();
  const listed = async () => (await yu.call('GET', '/rooms?which=all')).rooms.some(({ id }) => id === doc.id);
  await becomes('what was in it is listed', listed, false);

  await page.getByRole('link', { name: 'Trash' }).click();
  const row = page.getByRole('listitem').filter({ hasText: 'Old plans' });
  await row.getByRole('button', { name: 'Restore' }).click();
  await becomes('what was in it is listed', listed, true);
  await page.goto(`/space/${space.id}/${folder.id}`);
  await page.getByRole('main').getByRole('link', { name: 'Inside' }).waitFor();
});

test('the tree by keyboard: arrows, rename, menu, and where the focus is afterwards', async () => {
  const zhou = await world.person('zhou');
  const space = await team(zhou, 'Keys');
  const folder = await makeFolder(zhou, space, 'Drawer');
  await makeDoc(zhou, space, 'Letter', folder.id);
  const page = await zhou.context.newPage();
  await page.goto('/home');
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  await tree.row(page, 'My space').focus();
  await page.keyboard.press('ArrowDown');
  await becomes('the focus', focused, 'Keys');
  await page.keyboard.press('ArrowRight');
  await tree.row(page, 'Drawer').waitFor();
  await page.keyboard.press('ArrowRight');
  await becomes('the focus', focused, 'Drawer');
  await page.keyboard.press('F2');
  await page.getByRole('textbox', { name: 'Name of the folder' }).fill('Desk');
  await page.keyboard.press('Enter');
  await tree.row(page, 'Desk').waitFor();
  await becomes('the focus after the dialog', focused, 'Desk');
  await page.keyboard.press('Shift+F10');
  await page.getByRole('menuitem', { name: 'Rename' }).waitFor();
  await page.keyboard.press('Escape');
  await becomes('the focus after the menu', focused, 'Desk');
  await page.keyboard.press('ArrowRight');
  await tree.row(page, 'Letter').waitFor();
  await page.keyboard.type('let');
  await becomes('the focus after typing', focused, 'Letter');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/o\//);

  await page.reload();
  await tree.row(page, 'Letter').waitFor();
  assert.equal(await tree.row(page, 'Desk').getAttribute('aria-expanded'), 'true', 'open as before');
  assert.equal(await tree.row(page, 'Letter').getAttribute('aria-current'), 'page');
});

test('sharing says from where a right comes, and gives one to a whole space', async () => {
  const gao = await world.person('gao');
  const [guest, ally] = [await world.person('guest'), await world.person('ally')];
  const space = await team(gao, 'Givers');
  await team(ally, 'Takers', [[gao, 'viewer']]);
  const folder = await makeFolder(gao, space, 'Shared');
  const doc = await makeDoc(gao, space, 'Budget', folder.id);
  const seenBy = async (person) =>
    (await person.context.request.get(`/api/v1/rooms/${doc.id}`)).status();
  await gao.call('POST', `/folders/${folder.id}/grants`, { username: 'guest', right: 'comment' });
  const page = await open(gao, doc);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('From the folder “Shared”').first().waitFor();
  await becomes('who can open it', () => dialog.getByTestId('share-who').locator('li').count(), 2);

  assert.equal(await seenBy(ally), 404);
  await dialog.getByRole('combobox', { name: 'Name, user name, e-mail, or a space' }).fill('Tak');
  await page.getByRole('option', { name: 'Takers' }).click();
  await dialog.getByRole('combobox', { name: 'Until' }).selectOption('7');
  await dialog.getByRole('button', { name: 'Add' }).click();
  await dialog.getByTestId('share-people').getByText('Takers').waitFor();
  await becomes('the ally sees it', () => seenBy(ally), 200);
  await dialog.getByRole('button', { name: 'Remove: Takers' }).click();
  await becomes('the ally sees it no more', () => seenBy(ally), 404);

  await dialog.getByRole('button', { name: 'From the folder “Shared”' }).click();
  await page.getByRole('button', { name: 'Remove: guest' }).click();
  await becomes('the guest sees it no more', () => seenBy(guest), 404);
});

test('Ctrl K finds by letters, pinyin and initials, and does things', async () => {
  const hu = await world.person('hu');
  const space = await team(hu, '设计部');
  const doc = await makeDoc(hu, space, '季度计划');
  const page = await hu.context.newPage();
  await page.goto('/home');
  await tree.row(page, '设计部').waitFor();
  const find = async (typed) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find or do anything' }).fill(typed);
  };
  for (const typed of ['jdjh', 'jidu', '计划']) {
    await find(typed);
    await page.getByRole('option', { name: '季度计划' }).waitFor();
    await page.keyboard.press('Escape');
  }
  await find('jdjh');
  await page.getByRole('option', { name: '季度计划' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(doc.id));
  await body(page).waitFor();

  await body(page).focus();
  await find('new fold');
  await page.getByRole('option', { name: 'New folder' }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Name of the folder' }).fill('Found');
  await page.keyboard.press('Enter');
  const names = async () => (await hu.call('GET', `/spaces/${space.id}`)).folders.map(({ name }) => name);
  await becomes('the folders where the document is', names, ['Found']);
});

test('starred things are on Home and in the tree, and what others share is under its own name', async () => {
  const tao = await world.person('tao');
  const liu = await world.person('liu');
  const doc = await world.room(tao, 'doc', 'Recipe', { liu: 'read' });
  const page = await open(liu, doc);
  await page.getByTestId('star').click();
  await becomes('the star', () => page.getByTestId('star').getAttribute('aria-pressed'), 'true');
  await tree.row(page, 'Recipe').waitFor();
  await page.goto('/home');
  const list = page.getByRole('main').getByRole('list');
  for (const tab of ['Recent', 'Starred', 'Shared with me']) {
    await page.getByRole('tab', { name: tab }).click();
    await list.and(page.getByLabel(tab)).getByRole('link', { name: 'Recipe' }).waitFor();
  }
});
