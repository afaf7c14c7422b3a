/** The blocks and marks of a document. Names are part of the stored format: only ever add. */
import { wrappingInputRule, textblockTypeInputRule, type AnyExtension } from '@tiptap/core';
import { TaskItem, TaskList } from '@tiptap/extension-list';
import { Mention } from '@tiptap/extension-mention';
import StarterKit from '@tiptap/starter-kit';
import { Blockquote } from '@tiptap/extension-blockquote';
import { CodeBlock } from '@tiptap/extension-code-block';
import { OrderedList } from '@tiptap/extension-list';
import { isLinkTarget } from './links';

/** `》 ` and `> `. */
const Quote = Blockquote.extend({
  addInputRules() {
    return [
      ...(this.parent?.() ?? []),
      wrappingInputRule({ find: /^\s*》\s?$/, type: this.type }),
    ];
  },
});

/** Three backticks, also as a Chinese input method gives them. */
const Code = CodeBlock.extend({
  addInputRules() {
    return [
      ...(this.parent?.() ?? []),
      textblockTypeInputRule({ find: /^···$/, type: this.type }),
    ];
  },
});

/** `1. ` and `1、`. */
const Numbered = OrderedList.extend({
  addInputRules() {
    return [
      ...(this.parent?.() ?? []),
      wrappingInputRule({
        find: /^(\d+)、$/,
        type: this.type,
        getAttributes: (match) => ({ start: Number(match[1]) }),
        joinPredicate: (match, node) => node.childCount + Number(node.attrs['start']) === Number(match[1]),
      }),
    ];
  },
});

/** Somebody's name, as it was when they were mentioned. The menu is our own. */
const Person = Mention.extend({
  addProseMirrorPlugins() {
    return [];
  },
});

export interface SchemaWords {
  /** Accessible name of the tick box of a task. */
  tick: string;
}

export function schemaExtensions(words: SchemaWords): AnyExtension[] {
  return [
    StarterKit.configure({
      heading: { levels: [1, 2, 3] },
      // Undo is Yjs's, of one's own changes only.
      undoRedo: false,
      // Would write to the document on opening it.
      trailingNode: false,
      blockquote: false,
      codeBlock: false,
      orderedList: false,
      dropcursor: { color: 'var(--weft-link)', width: 2 },
      link: {
        openOnClick: false,
        autolink: true,
        linkOnPaste: true,
        defaultProtocol: 'https',
        isAllowedUri: (uri) => isLinkTarget(uri),
        HTMLAttributes: { rel: 'noopener noreferrer nofollow', target: '_blank' },
      },
    }),
    Person.configure({ HTMLAttributes: { class: 'weft-mention' } }),
    Quote,
    Code,
    Numbered,
    TaskList,
    TaskItem.configure({
      nested: true,
      a11y: { checkboxLabel: () => words.tick },
    }),
  ];
}
