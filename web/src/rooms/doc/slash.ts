/** The menu of blocks that `/` opens: when it is open, and what it offers. */
import type { ChainedCommands, Editor } from '@tiptap/core';
import type { EditorState } from '@tiptap/pm/state';

export interface Slash {
  /** Position of the sign that opened the menu. */
  from: number;
  to: number;
  query: string;
}

const QUERY_CHARS_MAX = 20;

/**
 * The sign and what was typed behind it, if the caret is there. `、` counts only as the first
 * character of a block: elsewhere it is prose.
 */
export function slashAt(state: EditorState): Slash | null {
  const { selection } = state;
  const { $from } = selection;
  if (!selection.empty || !$from.parent.isTextblock || $from.parent.type.spec.code === true) {
    return null;
  }
  const before = $from.parent.textBetween(0, $from.parentOffset, undefined, '\ufffc');
  const match = /(?:^|\s)\/([^\s/]*)$/u.exec(before) ?? /^[、／]([^\s、]*)$/u.exec(before);
  const query = match?.[1];
  if (query === undefined || query.length > QUERY_CHARS_MAX) return null;
  return { from: $from.pos - query.length - 1, to: $from.pos, query };
}

export type BlockId =
  | 'text'
  | 'h1'
  | 'h2'
  | 'h3'
  | 'bullets'
  | 'numbers'
  | 'tasks'
  | 'quote'
  | 'code_block'
  | 'rule';

interface Block {
  id: BlockId;
  /** Further words that find it: English, pinyin and its initials. */
  words: string;
  run: (chain: ChainedCommands) => ChainedCommands;
}

export const BLOCKS: readonly Block[] = [
  { id: 'text', words: 'text paragraph plain zhengwen zw', run: (chain) => chain.clearNodes() },
  {
    id: 'h1',
    words: 'h1 heading title biaoti bt yijibiaoti',
    run: (chain) => chain.setHeading({ level: 1 }),
  },
  {
    id: 'h2',
    words: 'h2 heading subtitle biaoti bt erjibiaoti',
    run: (chain) => chain.setHeading({ level: 2 }),
  },
  {
    id: 'h3',
    words: 'h3 heading biaoti bt sanjibiaoti',
    run: (chain) => chain.setHeading({ level: 3 }),
  },
  {
    id: 'bullets',
    words: 'bullets unordered list ul wuxu liebiao lb wxlb',
    run: (chain) => chain.toggleBulletList(),
  },
  {
    id: 'numbers',
    words: 'numbers ordered list ol youxu liebiao lb yxlb',
    run: (chain) => chain.toggleOrderedList(),
  },
  {
    id: 'tasks',
    words: 'tasks todo checklist list renwu liebiao daiban rw db',
    run: (chain) => chain.toggleTaskList(),
  },
  { id: 'quote', words: 'quote blockquote yinyong yy', run: (chain) => chain.toggleBlockquote() },
  { id: 'code_block', words: 'code daima dm dmk', run: (chain) => chain.toggleCodeBlock() },
  {
    id: 'rule',
    words: 'divider rule line hr fengexian fgx',
    run: (chain) => chain.setHorizontalRule(),
  },
];

/** Blocks whose label or words contain the query; all for an empty one. */
export function blocksFor(query: string, label: (id: BlockId) => string): Block[] {
  const wanted = query.trim().toLowerCase();
  return BLOCKS.filter(
    ({ id, words }) =>
      wanted === '' ||
      label(id).toLowerCase().includes(wanted) ||
      words.split(' ').some((word) => word.startsWith(wanted)),
  );
}

/** Takes the sign and the query away and makes the block. */
export function insertBlock(editor: Editor, slash: Slash, block: Block): void {
  const chain = editor.chain().focus().deleteRange({ from: slash.from, to: slash.to });
  block.run(chain).run();
}
