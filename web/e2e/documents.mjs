/**
 * Small documents as editors make them, each as the updates that its clients send: text with marks, lists
 * in lists, maps and arrays, several clients at once, deletions, characters outside the first plane.
 *
 * Client ids are fixed, so that the bytes are too: `crates/weft-core/tests/hostile/seeds.txt` holds them.
 */
import * as Y from 'yjs';

function client(id) {
  const doc = new Y.Doc();
  doc.clientID = id;
  return doc;
}

/** The updates that `edits` make, one for each edit, in the order in which they were made. */
function record(edits, ids = [1]) {
  const docs = ids.map(client);
  const updates = [];
  for (const doc of docs) doc.on('update', (update, origin) => origin === 'net' || updates.push(update));
  const meet = () => {
    for (const to of docs) {
      for (const from of docs) {
        if (from !== to) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), 'net');
      }
    }
  };
  for (const edit of edits) edit(docs, meet);
  meet();
  return { updates, doc: docs[0] };
}

function block(name, attributes, ...inside) {
  const element = new Y.XmlElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.insert(0, inside);
  return element;
}

function words(...pieces) {
  const text = new Y.XmlText();
  text.applyDelta(pieces.map((piece) => (typeof piece === 'string' ? { insert: piece } : piece)));
  return text;
}

const page = ([doc]) => {
  const root = doc.getXmlFragment('default');
  root.insert(0, [
    block('heading', { level: 2, textAlign: null }, words('Plan für 计划 👩‍🚀')),
    block(
      'paragraph',
      {},
      words(
        'plain ',
        { insert: 'bold', attributes: { bold: {} } },
        { insert: 'both', attributes: { bold: {}, link: { href: 'https://example.org/?a=1&b="2"', target: null } } },
        { insert: ' noted', attributes: { 'comment--AAAAaaa+': { id: 7 }, 'comment--BBBBbbb=': { id: 8 } } },
        ' tail\n\t"quoted"',
      ),
      block('hardBreak', {}),
      words('after'),
    ),
    block('paragraph', {}),
    block('paragraph', {}, words()),
    block('bulletList', {}, block('listItem', {}, block('paragraph', {}, words('one')), block('bulletList', {}, block('listItem', {}, block('paragraph', {}, words('one.one')))))),
    block('taskList', {}, block('taskItem', { checked: true, weight: 1.5 }, block('paragraph', {}, words('done')))),
    block('image', { src: 'a.png', width: 300, alt: '' }),
  ]);
};

const made = [
  ['page', [page]],
  [
    'page-edited',
    [
      page,
      ([doc]) => doc.getXmlFragment('default').get(1).get(0).delete(3, 6),
      ([doc]) => doc.getXmlFragment('default').get(1).get(0).format(0, 5, { italic: {} }),
      ([doc]) => doc.getXmlFragment('default').get(0).get(0).insert(17, 'x'),
      ([doc]) => doc.getXmlFragment('default').get(0).setAttribute('level', 3),
      ([doc]) => doc.getXmlFragment('default').delete(4, 1),
      ([doc]) => doc.getXmlFragment('default').insert(4, [block('paragraph', {}, words('new'))]),
    ],
  ],
  [
    'text',
    [
      ([doc]) => doc.getText('t').insert(0, 'hello 😀 world'),
      ([doc]) => doc.getText('t').delete(2, 4),
      ([doc]) => doc.getText('t').insert(3, '好'),
      ([doc]) => doc.getText('t').format(1, 4, { bold: true }),
      ([doc]) => doc.getText('t').insertEmbed(2, { image: 'x' }),
      ([doc]) => doc.getText('t').applyDelta([{ retain: 3 }, { insert: 'mid', attributes: { color: 'red' } }]),
    ],
  ],
  [
    'values',
    [
      ([doc]) => {
        const map = doc.getMap('settings');
        map.set('number', 42);
        map.set('real', -1.25);
        map.set('large', 2 ** 60);
        map.set('yes', true);
        map.set('nothing', null);
        map.set('list', [1, 'two', { three: [3, [4]] }]);
        map.set('bytes', new Uint8Array([1, 2, 255]));
      },
      ([doc]) => doc.getMap('settings').set('number', 43),
      ([doc]) => doc.getMap('settings').delete('yes'),
      ([doc]) => doc.getArray('cards').push(['a', { b: 1 }, null, 7]),
      ([doc]) => doc.getArray('cards').insert(1, [new Y.Map([['title', 'Card'], ['tags', new Y.Array()]]), new Y.Text('inside')]),
      ([doc]) => doc.getArray('cards').get(1).get('tags').push(['x', 'y']),
      ([doc]) => doc.getArray('cards').delete(0, 1),
      ([doc]) => doc.getMap('tree').set('child', new Y.Map([['deep', new Y.Map([['deeper', new Y.Array()]])]])),
      ([doc]) => doc.getMap('tree').set('child', 'gone'),
    ],
  ],
  [
    'together',
    [
      ([a, b, c], meet) => {
        a.getMap('m'); // The others fill it; this gives it its type here.
        a.getText('t').insert(0, 'abc');
        meet();
        b.getText('t').insert(1, 'BB');
        c.getText('t').delete(0, 2);
        a.getText('t').insert(2, '👋');
        meet();
        a.getText('t').delete(1, 3);
        b.getMap('m').set('k', 1);
        c.getMap('m').set('k', 2);
        meet();
        c.getText('t').insert(0, 'last');
      },
    ],
    [3, 70_000, 9_007_199_254_740_991],
  ],
];

/** `{name, updates, doc}` of each document; `doc` has all of its updates. */
export function documents() {
  return made.map(([name, edits, ids]) => ({ name, ...record(edits, ids) }));
}
