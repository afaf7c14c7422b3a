/** The first ten minutes: from the printed link to two people in one document. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { blocks, body, caretAtEnd, caretAtStart, carets, faces, roomOf, sameBlocks, saved } from './page.mjs';
import { becomes, until, useWorld } from './world.mjs';

const world = useWorld({ args: [] });
const password = 'correct horse battery';

test('a set-up link, a document, an invite link, and two people write', async () => {
  const lin = await (await world.context()).newPage();
  await lin.goto(world.server.setupUrl);
  await lin.getByLabel('Name of the workspace').fill('Tea house');
  await lin.getByLabel('User name').fill('lin');
  await lin.getByLabel('Password', { exact: true }).fill(password);
  await lin.getByRole('button', { name: 'Start', exact: true }).click();
  await lin.waitForURL(/\/o\//);
  await body(lin).waitFor();
  assert.ok((await blocks(lin)).length > 1, 'the welcome document says something');
  await saved(lin);

  await lin.getByRole('button', { name: 'Share', exact: true }).click();
  const dialog = lin.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Create link' }).click();
  const link = await dialog.getByRole('textbox', { name: 'The invite link' }).inputValue();
  assert.match(link, /\/invite#.{16,}/, 'the secret stands after the #');
  await lin.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  const an = await (await world.context()).newPage();
  await an.goto(link);
  await an.getByLabel('Your name').fill('An Bo');
  await an.getByLabel('User name').fill('an');
  await an.getByLabel('Password', { exact: true }).fill(password);
  await an.getByRole('button', { name: 'Join', exact: true }).click();
  await an.waitForURL(/\/o\//);
  await body(an).waitFor();
  assert.equal(roomOf(an), roomOf(lin), 'the link leads into the document that it was made in');

  await becomes('both faces at Lin', () => faces(lin), ['An Bo', 'lin (you)']);
  await becomes('both faces at An', () => faces(an), ['An Bo (you)', 'lin']);

  await caretAtStart(lin);
  await caretAtEnd(an);
  await an.keyboard.press('Enter');
  await becomes('the other cursor at Lin', () => carets(lin), ['An Bo']);
  await becomes('the other cursor at An', () => carets(an), ['lin']);
  await Promise.all([
    lin.keyboard.type('written from the top ', { delay: 15 }),
    an.keyboard.type('written at the end', { delay: 15 }),
  ]);
  const both = (shown) =>
    shown[0].startsWith('written from the top ') && shown.at(-1).endsWith('written at the end');
  const shown = await sameBlocks(lin, an, both);
  await Promise.all([saved(lin), saved(an)]);

  await lin.reload();
  await body(lin).waitFor();
  await becomes('the text after a reload', () => blocks(lin), shown);
  await saved(lin);
});

test('the set-up link works once, and the invite link says when it is wrong', async () => {
  const page = await (await world.context()).newPage();
  await page.goto(world.server.setupUrl);
  await page.getByText('This workspace has already been set up').first().waitFor();
  await page.goto('/invite#nobody-made-this-link');
  await page.getByText('This link no longer works. Ask for a new one.').first().waitFor();
});

test('what does not exist says so and offers a way back', async () => {
  const context = await world.context();
  const page = await context.newPage();
  await page.goto('/signin');
  await page.getByLabel('User name').fill('lin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(/\/home/);
  await page.goto('/o/00000000000000000000000000');
  await page.getByText("This doesn't exist, or you don't have access.").waitFor();
  await until('no editor is shown', async () => (await page.locator('.ProseMirror').count()) === 0);
});
