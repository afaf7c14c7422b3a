/**
 * The screens as the tests speak of them: the only place that knows their labels.
 */
import { becomes, until } from './world.mjs';

/** Opens a room and waits until it can be written in, or read if one may only read. */
export async function open(person, room, { page = undefined } = {}) {
  const tab = page ?? (await person.context.newPage());
  await tab.goto(`/o/${room.id ?? room}`);
  await tab.getByTestId('save-state').waitFor();
  await tab.locator('.ProseMirror, [data-testid="order-status"]').first().waitFor();
  return tab;
}

export const body = (page) => page.getByRole('textbox', { name: 'Text of the document' });

/** The blocks of text that a document shows, without other people's cursors. */
export function blocks(page) {
  return page.locator('.ProseMirror').evaluate((editor) => {
    const copy = editor.cloneNode(true);
    for (const widget of copy.querySelectorAll('.ProseMirror-widget, .ProseMirror-separator')) {
      widget.remove();
    }
    const leaves = [...copy.querySelectorAll('p, h1, h2, h3, h4, h5, h6, pre')];
    return leaves.map((leaf) => leaf.textContent);
  });
}

/** Puts the caret at the end of the document. */
export const caretAtEnd = (page) => caretAt(page, 'Control+End', 'lastElementChild');

/** Puts the caret at the beginning of the document. */
export const caretAtStart = (page) => caretAt(page, 'Control+Home', 'firstElementChild');

/**
 * Presses a key until the caret stays at that edge of the text. Some 20 ms after it got the focus the editor puts
 * its own selection back over one that was made faster than any hand could.
 */
async function caretAt(page, key, edge) {
  const editor = body(page);
  await editor.focus();
  await page.keyboard.press(key);
  let looks = 0;
  await until(`the caret after ${key}`, async () => {
    const there = await editor.evaluate(
      (element, block) => {
        const { anchorNode, anchorOffset } = getSelection();
        if (!element[block]?.contains(anchorNode)) return false;
        const between = document.createRange();
        between.selectNodeContents(element);
        if (block === 'firstElementChild') between.setEnd(anchorNode, anchorOffset);
        else between.setStart(anchorNode, anchorOffset);
        // Another's cursor stands between word joiners.
        return between.toString().replace(/[\s\u2060\ufeff\u200b]/g, '') === '';
      },
      edge,
    );
    looks = there ? looks + 1 : 0;
    if (!there) await page.keyboard.press(key);
    return looks >= 4;
  });
}

/** What the indicator beside the title says. */
export async function saving(page) {
  return (await saveState(page).innerText()).trim();
}

const saveState = (page) => page.getByTestId('save-state');

export const saved = (page) => becomes('saving', () => saving(page), 'Saved');

/** The people whose faces are shown. */
export async function faces(page) {
  const names = await page.getByTestId('faces').locator('li .visually-hidden').allInnerTexts();
  return names.sort();
}

/** The names on other people's cursors in the text. */
export const carets = (page) =>
  page.locator('.weft-caret-flag').evaluateAll((flags) => flags.map((flag) => flag.dataset.name));

/** Waits until two pages show the same blocks, and gives them. */
export async function sameBlocks(one, other, accept = () => true) {
  let shown = [];
  await until('both pages show the same', async () => {
    const [left, right] = await Promise.all([blocks(one), blocks(other)]);
    shown = left;
    if (JSON.stringify(left) === JSON.stringify(right) && accept(left)) return true;
    return { left, right };
  });
  return shown;
}

/** The id of the room that a page shows. */
export const roomOf = (page) => /\/o\/([^/?#]+)/.exec(page.url())?.[1];

/** Whether the document can only be read. */
export async function readOnly(page) {
  return (await page.locator('.ProseMirror').getAttribute('contenteditable')) === 'false';
}

export async function signOut(page) {
  await page.getByRole('button', { name: 'Account and settings' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
}

/** Rows of the tree at the side or, given a dialog, of the one in it. */
export const tree = {
  row: (within, name) => within.getByRole('treeitem', { name, exact: true }),
  open: async (page, name) => {
    const row = tree.row(page, name);
    if ((await row.getAttribute('aria-expanded')) === 'false') await row.getByTestId('tree-toggle').click();
  },
};

/** A command of the `:` menu of what a page or a row of it shows. */
export async function choose(page, name, command) {
  await page.getByRole('main').getByRole('button', { name: `Actions for “${name}”` }).click();
  await page.getByRole('menuitem', { name: command }).click();
}

/** Opens the dialog with code for a document. */
export async function useFromCode(page) {
  await page.getByTestId('room-menu').last().click();
  await page.getByRole('menuitem', { name: 'Use from code' }).click();
  return page.getByRole('dialog');
}

/** Types as an input method does. */
export async function compose(page) {
  const devtools = await page.context().newCDPSession(page);
  const processed = { key: 'Process', code: 'Enter', windowsVirtualKeyCode: 229 };
  return {
    /** Shows unfinished text at the caret. */
    show: (text) =>
      devtools.send('Input.imeSetComposition', {
        text,
        selectionStart: text.length,
        selectionEnd: text.length,
      }),
    /** The key that ends the composition; the page must leave it to the input method. */
    enter: () => devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...processed }),
    /** Puts the finished text in the place of the unfinished one. */
    commit: (text) => devtools.send('Input.insertText', { text }),
  };
}

/** Stands between the page and the server's socket. Call it before the page is opened. */
export async function holdServer(page) {
  let holding = false;
  let isCut = false;
  const sockets = new Set();
  const waiting = [];
  await page.routeWebSocket(/\/ws(\?|$)/, (socket) => {
    if (isCut) {
      void socket.close({ code: 4503 });
      return;
    }
    const server = socket.connectToServer();
    sockets.add(socket);
    socket.onClose((code, reason) => {
      sockets.delete(socket);
      void server.close({ code, reason });
    });
    server.onMessage((message) => {
      if (holding) waiting.push(() => socket.send(message));
      else socket.send(message);
    });
  });
  return {
    /** What the server says from now on waits. */
    hold: () => {
      holding = true;
    },
    /** What waited arrives, in order. */
    release: () => {
      holding = false;
      for (const deliver of waiting.splice(0)) deliver();
    },
    /** No socket any more, and no new one. */
    cut: () => {
      isCut = true;
      for (const socket of sockets) void socket.close({ code: 4503 });
    },
    /** Sockets again; the page is told as browsers do. */
    mend: async () => {
      isCut = false;
      await page.evaluate(() => dispatchEvent(new Event('online')));
    },
  };
}

/** Notes every change of the indicator from now on; the result gives what it said. */
export async function watchSaving(page) {
  await saveState(page).evaluate((element) => {
    globalThis.weftSaid = [element.innerText.trim()];
    const note = () => globalThis.weftSaid.push(element.innerText.trim());
    new MutationObserver(note).observe(element, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => globalThis.weftSaid);
}

/** What each page says, so that it can be waited for. */
export const words = {
  en: {
    signin: 'Sign in to Weft',
    home: 'Home',
    document: 'Some text, 中文 and English.',
    order: 'Menu',
    space: '周五午餐',
    members: 'Invited',
    move: 'It is in “',
    share: 'Members, each by their role',
    find: '季度计划',
    gallery: 'This space is empty.',
    inbox: 'An Bo invites you to the space “Lunch club”',
    trash: 'Old notes',
    tokens: 'Works until',
    audit: 'Who changed what here',
    settings: 'This device',
    admin: 'For whoever has the link',
    forgotten: 'Ask an administrator of this workspace',
    reset: 'Set a new password',
    verify: 'Confirm address',
    missing: "This doesn't exist, or you don't have access.",
  },
  zh: {
    signin: '登录 Weft',
    home: '首页',
    document: 'Some text, 中文 and English.',
    order: '菜单',
    space: '周五午餐',
    members: '已邀请',
    move: '当前位于',
    share: '成员，按各自角色',
    find: '季度计划',
    gallery: '空间里还没有内容。',
    inbox: 'An Bo 邀请你加入空间“Lunch club”',
    trash: 'Old notes',
    tokens: '有效期至',
    audit: '谁在这个空间中',
    settings: '当前设备',
    admin: '任何获得链接的人',
    forgotten: '请联系工作区的管理员',
    reset: '设置新密码',
    verify: '确认邮箱地址',
    missing: '内容不存在，或你没有访问权限。',
  },
};

/** Buttons and numbers of a group order. */
export const order = {
  more: (page, name) => page.getByRole('button', { name: `One more ${name}`, exact: true }),
  less: (page, name) => page.getByRole('button', { name: `One ${name} less`, exact: true }),
  /** The sum of everybody, as the server has confirmed it. */
  total: async (page) => {
    const words = ['total-items', 'order-total'].map((id) =>
      page.getByTestId(id).filter({ visible: true }).first().innerText());
    return (await Promise.all(words)).join(' ');
  },
  /** How many of something are mine, those on their way included. */
  mine: async (page, name) => {
    const line = page.getByRole('group', { name: new RegExp(`^${name}: \\d+$`) });
    return Number((await line.getAttribute('aria-label')).split(': ').at(-1));
  },
  status: (page) => page.getByTestId('order-status').getAttribute('data-status'),
  submit: (page) => page.getByRole('button', { name: 'Submit order' }),
  reopen: (page) => page.getByRole('button', { name: 'Open again' }),
  /** Closes and confirms. */
  closeForGood: async (page) => {
    await page.getByRole('button', { name: 'Close order' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close order' }).click();
  },
  addLine: async (page, { name, price, stock }) => {
    const form = page.getByRole('region', { name: 'Add a line' });
    await form.locator('[name="line-name"]').fill(name);
    await form.locator('[name="line-price"]').fill(price);
    if (stock !== undefined) await form.locator('[name="line-stock"]').fill(stock);
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await order.more(page, name).waitFor();
  },
};
