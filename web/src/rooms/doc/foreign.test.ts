/** A client with an older schema must not destroy what it does not know. */
import { getSchema } from '@tiptap/core';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { FRAGMENT, foreignIn, readableContent, watchForeign } from './foreign';
import { schemaExtensions } from './schema';

const schema = getSchema(schemaExtensions({ tick: '' }));

function element(name: string, attributes: Record<string, string | number | boolean>, children: (Y.XmlElement | Y.XmlText)[]) {
  const made = new Y.XmlElement<Record<string, string | number | boolean>>(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.insert(0, children);
  return made as unknown as Y.XmlElement;
}

function words(text: string, attributes?: Record<string, unknown>): Y.XmlText {
  const made = new Y.XmlText();
  made.insert(0, text, attributes);
  return made;
}

function docWith(...blocks: (Y.XmlElement | Y.XmlText)[]): Y.Doc {
  const ydoc = new Y.Doc();
  ydoc.getXmlFragment(FRAGMENT).insert(0, blocks);
  return ydoc;
}

const found = (ydoc: Y.Doc) => foreignIn(ydoc.getXmlFragment(FRAGMENT), schema);

describe('looking through a document', () => {
  test('everything that the editor makes is known', () => {
    const ydoc = docWith(
      element('heading', { level: 2 }, [words('Try')]),
      element('taskList', {}, [
        element('taskItem', { checked: true }, [element('paragraph', {}, [words('one')])]),
      ]),
      element('paragraph', {}, [words('bold', { bold: {}, link: { href: 'https://a.example' } })]),
    );
    expect(found(ydoc)).toBeNull();
  });

  test.each([
    ['an unknown block', () => docWith(element('mermaid', {}, [])), 'mermaid'],
    [
      'an unknown block inside a known one',
      () => docWith(element('blockquote', {}, [element('chart', {}, [])])),
      'chart',
    ],
    [
      'an unknown attribute',
      () => docWith(element('paragraph', { align: 'end' }, [])),
      'paragraph.align',
    ],
    [
      'an unknown mark',
      () => docWith(element('paragraph', {}, [words('x', { comment: { id: 1 } })])),
      'comment',
    ],
    [
      'an unknown mark that overlaps itself',
      () => docWith(element('paragraph', {}, [words('x', { 'comment--AAAABBBB': {} })])),
      'comment',
    ],
    ['text outside of a block', () => docWith(words('loose')), '#text'],
  ])('%s is found', (_name, make, name) => {
    expect(found(make())).toBe(name);
  });

  test('known parts in a wrong order are left to the binding', () => {
    expect(found(docWith(element('bulletList', {}, [])))).toBeNull();
  });
});

describe('watching a document', () => {
  function watched(ydoc: Y.Doc): { names: string[]; stop: () => void; seen: () => number } {
    const names: string[] = [];
    const stop = watchForeign(ydoc, schema, (name) => names.push(name));
    let events = 0;
    ydoc.getXmlFragment(FRAGMENT).observeDeep(() => {
      events += 1;
      // The watch speaks before any observer: the editor can still be cut off.
      if (names.length === 0 && found(ydoc) !== null) throw new Error('too late');
    });
    return { names, stop, seen: () => events };
  }

  function arrive(from: Y.Doc, to: Y.Doc): void {
    Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)));
  }

  function pair(): { mine: Y.Doc; theirs: Y.Doc } {
    const theirs = docWith(element('paragraph', {}, [words('hello')]));
    const mine = new Y.Doc();
    arrive(theirs, mine);
    return { mine, theirs };
  }

  test('ordinary changes pass', () => {
    const { mine, theirs } = pair();
    const watch = watched(mine);
    theirs.getXmlFragment(FRAGMENT).insert(1, [element('paragraph', {}, [words('more')])]);
    arrive(theirs, mine);
    expect(watch.names).toEqual([]);
    expect(watch.seen()).toBe(1);
  });

  test('an unknown block that arrives is told once, before observers', () => {
    const { mine, theirs } = pair();
    const watch = watched(mine);
    theirs.getXmlFragment(FRAGMENT).insert(1, [element('mermaid', {}, [])]);
    arrive(theirs, mine);
    theirs.getXmlFragment(FRAGMENT).insert(2, [element('chart', {}, [])]);
    arrive(theirs, mine);
    expect(watch.names).toEqual(['mermaid']);
  });

  test('so is a mark put on known text, and an attribute on a known block', () => {
    const { mine, theirs } = pair();
    const watch = watched(mine);
    const block = theirs.getXmlFragment(FRAGMENT).get(0) as Y.XmlElement;
    (block.get(0) as Y.XmlText).format(0, 3, { comment: { id: 1 } });
    arrive(theirs, mine);
    expect(watch.names).toEqual(['comment']);

    const second = pair();
    const other = watched(second.mine);
    (second.theirs.getXmlFragment(FRAGMENT).get(0) as Y.XmlElement).setAttribute('align', 'end');
    arrive(second.theirs, second.mine);
    expect(other.names).toEqual(['paragraph.align']);
  });

  test('a deeply nested unknown block is found', () => {
    const { mine, theirs } = pair();
    const watch = watched(mine);
    theirs
      .getXmlFragment(FRAGMENT)
      .insert(1, [element('blockquote', {}, [element('blockquote', {}, [element('chart', {}, [])])])]);
    arrive(theirs, mine);
    expect(watch.names).toEqual(['chart']);
  });

  test('other names in the same document are nobody’s business', () => {
    const { mine, theirs } = pair();
    const watch = watched(mine);
    theirs.getXmlFragment('host').insert(0, [element('whatever', {}, [words('x')])]);
    arrive(theirs, mine);
    expect(watch.names).toEqual([]);
  });
});

test('foreign parts can still be read as words, and the document is not touched', () => {
  const ydoc = docWith(
    element('paragraph', {}, [words('before '), words('marked', { comment: { id: 1 }, bold: {} })]),
    element('card', { tone: 'red' }, [element('paragraph', {}, [words('inside a card')])]),
    element('paragraph', { align: 'end' }, [words('after')]),
  );
  const before = Y.encodeStateAsUpdate(ydoc);
  const content = readableContent(ydoc.getXmlFragment(FRAGMENT), schema);
  const shown = schema.nodeFromJSON(content);
  shown.check();
  expect(shown.textBetween(0, shown.content.size, '|')).toBe('before marked|inside a card|after');
  expect(Y.encodeStateAsUpdate(ydoc)).toEqual(before);
});
