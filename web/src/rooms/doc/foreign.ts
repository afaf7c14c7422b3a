/**
 * What of a Yjs document this version of the app does not know.
 *
 * The editor binding deletes, for everybody, what its schema cannot show. A client with an older
 * schema must not do that: so the content is looked through before the binding sees it, at first
 * and with every change that arrives ({@link watchForeign}). If something foreign is there the
 * document is shown read-only, from a harmless copy ({@link readableContent}).
 *
 * Not foreign: known parts in an order that the schema forbids (two people deleting at once);
 * the binding mends that.
 */
import type { JSONContent } from '@tiptap/core';
import type { Schema } from '@tiptap/pm/model';
import * as Y from 'yjs';

/** The name of the fragment that holds the text. */
export const FRAGMENT = 'default';

type Part = Y.XmlElement | Y.XmlText | Y.XmlHook;

/** What is foreign in the whole text: the first name found, or null. */
export function foreignIn(fragment: Y.XmlFragment, schema: Schema): string | null {
  for (const part of parts(fragment)) {
    // The binding knows no text outside of a block.
    if (!(part instanceof Y.XmlElement)) return '#text';
    const found = foreignInElement(part, schema);
    if (found !== null) return found;
  }
  return null;
}

function foreignInElement(element: Y.XmlElement, schema: Schema): string | null {
  const own = foreignName(element, schema);
  if (own !== null) return own;
  for (const part of parts(element)) {
    const found = foreignInPart(part, schema);
    if (found !== null) return found;
  }
  return null;
}

function foreignInPart(part: Part, schema: Schema): string | null {
  if (part instanceof Y.XmlElement) return foreignInElement(part, schema);
  if (part instanceof Y.XmlText) return foreignInText(part, schema);
  return '#hook';
}

function foreignName(element: Y.XmlElement, schema: Schema): string | null {
  const type = schema.nodes[element.nodeName];
  if (type === undefined) return element.nodeName;
  const known = type.spec.attrs ?? {};
  for (const name of Object.keys(element.getAttributes())) {
    if (!(name in known)) return `${element.nodeName}.${name}`;
  }
  return null;
}

interface TextPiece {
  insert: unknown;
  attributes?: Record<string, unknown>;
}

function pieces(text: Y.XmlText): TextPiece[] {
  return text.toDelta() as TextPiece[];
}

function foreignInText(text: Y.XmlText, schema: Schema): string | null {
  for (const piece of pieces(text)) {
    if (typeof piece.insert !== 'string') return '#embed';
    for (const name of Object.keys(piece.attributes ?? {})) {
      if (schema.marks[markName(name)] === undefined) return markName(name);
    }
  }
  return null;
}

/** Marks that may overlap themselves carry a hash behind their name. */
function markName(attribute: string): string {
  return attribute.replace(/--[a-zA-Z0-9+/=]{8}$/, '');
}

function parts(type: Y.XmlFragment): Part[] {
  return type.toArray() as Part[];
}

/**
 * Calls `found` before any observer sees a change that brings something foreign, and once only.
 * Looks at what changed, not at the whole text.
 */
export function watchForeign(
  ydoc: Y.Doc,
  schema: Schema,
  found: (name: string) => void,
): () => void {
  const fragment = ydoc.getXmlFragment(FRAGMENT);
  const look = (transaction: Y.Transaction) => {
    const name = foreignInChanges(transaction, fragment, schema);
    if (name === null) return;
    stop();
    found(name);
  };
  const stop = () => ydoc.off('beforeObserverCalls', look);
  ydoc.on('beforeObserverCalls', look);
  return stop;
}

function foreignInChanges(
  transaction: Y.Transaction,
  root: Y.XmlFragment,
  schema: Schema,
): string | null {
  for (const type of transaction.changed.keys()) {
    const found = foreignInChanged(type, transaction, root, schema);
    if (found !== null) return found;
  }
  return null;
}

function foreignInChanged(
  type: object,
  transaction: Y.Transaction,
  root: Y.XmlFragment,
  schema: Schema,
): string | null {
  if (type instanceof Y.XmlText) {
    return isInside(type, root) ? foreignInText(type, schema) : null;
  }
  if (type instanceof Y.XmlElement) {
    if (!isInside(type, root)) return null;
    const own = foreignName(type, schema);
    return own ?? foreignInNew(type, transaction, schema);
  }
  if (type !== root) return null;
  const rootText = parts(root).find((part) => !(part instanceof Y.XmlElement));
  return rootText === undefined ? foreignInNew(root, transaction, schema) : '#text';
}

function foreignInNew(
  parent: Y.XmlFragment,
  transaction: Y.Transaction,
  schema: Schema,
): string | null {
  for (const part of parts(parent)) {
    if (part._item === null || !isNew(part._item, transaction)) continue;
    const found = foreignInPart(part, schema);
    if (found !== null) return found;
  }
  return null;
}

function isNew(item: Y.Item, transaction: Y.Transaction): boolean {
  return item.id.clock >= (transaction.beforeState.get(item.id.client) ?? 0);
}

function isInside(type: Y.XmlText | Y.XmlElement, root: Y.XmlFragment): boolean {
  let at: unknown = type;
  while (at instanceof Y.AbstractType) {
    if (at === root) return true;
    if (at._item === null || at._item.deleted) return false;
    at = at._item.parent;
  }
  return false;
}

/** The text as this version can show it: foreign blocks as plain paragraphs of their words. */
export function readableContent(fragment: Y.XmlFragment, schema: Schema): JSONContent {
  const blocks = parts(fragment).flatMap((part) => readablePart(part, schema));
  const whole: JSONContent = { type: 'doc', content: blocks };
  if (fits(whole, schema)) return whole;
  const fitting = blocks.filter((block) => fits({ type: 'doc', content: [block] }, schema));
  return { type: 'doc', content: fitting.length > 0 ? fitting : [{ type: 'paragraph' }] };
}

function fits(content: JSONContent, schema: Schema): boolean {
  try {
    schema.nodeFromJSON(content).check();
    return true;
  } catch {
    return false;
  }
}

function readablePart(part: Part, schema: Schema): JSONContent[] {
  if (!(part instanceof Y.XmlElement)) return wordsOf(part instanceof Y.XmlText ? plain(part) : '');
  const type = schema.nodes[part.nodeName];
  if (type === undefined) return wordsOf(wordsIn(part));
  const known = type.spec.attrs ?? {};
  const attrs = Object.fromEntries(
    Object.entries(part.getAttributes()).filter(([name]) => name in known),
  );
  const content = parts(part).flatMap((child) =>
    child instanceof Y.XmlText ? readableText(child, schema) : readablePart(child, schema),
  );
  const node: JSONContent = { type: part.nodeName, attrs, content };
  return [fits(node, schema) ? node : (wordsOf(wordsIn(part))[0] ?? { type: 'paragraph' })];
}

function readableText(text: Y.XmlText, schema: Schema): JSONContent[] {
  return pieces(text).flatMap((piece) => {
    if (typeof piece.insert !== 'string' || piece.insert === '') return [];
    const marks = Object.entries(piece.attributes ?? {})
      .map(([name, attrs]) => ({ name: markName(name), attrs }))
      .filter(({ name }) => schema.marks[name] !== undefined)
      .map(({ name, attrs }) => ({
        type: name,
        attrs: typeof attrs === 'object' && attrs !== null ? { ...attrs } : {},
      }));
    return [{ type: 'text', text: piece.insert, marks }];
  });
}

function wordsOf(words: string): JSONContent[] {
  return words === '' ? [] : [{ type: 'paragraph', content: [{ type: 'text', text: words }] }];
}

function wordsIn(element: Y.XmlElement): string {
  return parts(element)
    .map((part) => {
      if (part instanceof Y.XmlText) return plain(part);
      return part instanceof Y.XmlElement ? wordsIn(part) : '';
    })
    .filter((words) => words !== '')
    .join(' ');
}

function plain(text: Y.XmlText): string {
  return pieces(text)
    .map(({ insert }) => (typeof insert === 'string' ? insert : ''))
    .join('');
}
