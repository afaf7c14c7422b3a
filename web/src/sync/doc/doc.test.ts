import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { settle } from '../testing/clock';
import { fromHex, toHex } from '../testing/hex';
import { World } from '../testing/world';
import { docDigest } from './digest';
import { hasPredecessors, insertedText } from './update';

interface Vector {
  readonly name: string;
  readonly update: string;
  readonly digest: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../proto/vectors/doc.json', import.meta.url), 'utf8'),
) as Vector[];

describe('digests', () => {
  test.each(vectors)('as the core makes them: $name', ({ update, digest }) => {
    const ydoc = new Y.Doc();
    Y.applyUpdate(ydoc, fromHex(update));
    expect(toHex(docDigest(ydoc))).toBe(digest);
  });

  test('do not depend on the order in which updates came', () => {
    const a = new Y.Doc();
    const b = new Y.Doc();
    a.getText('t').insert(0, 'hello');
    b.getText('t').insert(0, 'world');
    b.getText('t').delete(1, 2);
    const updates = [Y.encodeStateAsUpdate(a), Y.encodeStateAsUpdate(b)];
    const digests = [updates, [...updates].reverse()].map((order) => {
      const ydoc = new Y.Doc();
      order.forEach((update) => Y.applyUpdate(ydoc, update));
      return toHex(docDigest(ydoc));
    });
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(toHex(docDigest(a)));
  });
});

describe('updates', () => {
  test('tell their text by block, and whether their predecessors are there', () => {
    const ydoc = new Y.Doc();
    const fragment = ydoc.getXmlFragment('default');
    const updates: Uint8Array[] = [];
    ydoc.on('update', (update: Uint8Array) => updates.push(update));
    for (const text of ['one', '二']) {
      const block = new Y.XmlElement('paragraph');
      block.insert(0, [new Y.XmlText(text)]);
      fragment.push([block]);
    }
    expect(insertedText(Y.mergeUpdates(updates))).toBe('one\n二');
    expect(insertedText(Uint8Array.of(9, 9))).toBe('');
    expect(updates.map((update) => hasPredecessors(new Y.Doc(), update))).toEqual([true, false]);
  });
});

describe('gathering', () => {
  test('what is typed becomes one operation after 40 ms of pause, after 200 ms at most', async () => {
    const world = await World.ready();
    world.type('a');
    await world.clock.advance(39);
    world.type('b');
    await world.clock.advance(39);
    expect(world.server.submits()).toEqual([]);
    await world.clock.advance(1);
    expect(world.server.submits()).toEqual(['101:1']);
    expect(world.textThere()).toBe('ab');
    for (let i = 0; i < 20; i++) {
      world.type('x');
      await world.clock.advance(20);
    }
    await world.clock.advance(200);
    expect(world.server.submits().length).toBe(3);
    expect(world.textThere()).toBe(`ab${'x'.repeat(20)}`);
  });

  test('each operation is in the queue as soon as it is made', async () => {
    const world = await World.ready();
    world.server.mode = 'mute';
    await world.typed('a');
    expect(await world.queue.ops(world.there.id, [101])).toMatchObject([{ clientSeq: 1, lineage: 1 }]);
  });

  test('while composing nothing is sent and remote changes wait; then they apply in order', async () => {
    const world = await World.ready();
    world.doc().hold(true);
    world.type('ni');
    await world.othersWrite('b');
    await world.othersWrite('a');
    await world.clock.advance(5_000);
    expect([world.text(), world.server.submits(), world.room.state().head]).toEqual(['ni', [], 3]);
    expect(world.server.all('digest')).toEqual([]);
    world.type('hao');
    world.doc().hold(false);
    await settle();
    // Where two people insert at the same place, either may come first.
    expect(world.text().replaceAll(/[ab]/g, '').length).toBe('nihao'.length - 1);
    expect(world.server.submits()).toEqual(['101:1']);
    expect(world.textThere()).toBe(world.text());
    await world.clock.advance(2_000);
    expect(world.server.all('digest')).toHaveLength(1);
    expect(world.room.state().repairs).toBe(0);
  });

  test('undo takes back only what was typed here', async () => {
    const world = await World.ready();
    const undo = new Y.UndoManager(world.doc().ydoc.getText('t'));
    await world.typed('mine');
    await world.othersWrite('theirs ');
    undo.undo();
    expect(world.text()).toBe('theirs ');
    world.doc().flush();
    await settle();
    expect(world.textThere()).toBe('theirs ');
  });

  test('what is typed into a document that was just replaced is not lost', async () => {
    const world = await World.ready();
    await world.othersWrite('a');
    const old = world.doc();
    world.there.sendState(world.server.socket(), true);
    await settle();
    expect(world.doc().generation).toBe(old.generation + 1);
    old.ydoc.getText('t').insert(1, 'late');
    await world.clock.advance(40);
    expect([world.text(), world.textThere()]).toEqual(['alate', 'alate']);
  });

  test('two clients that type at once end up equal', async () => {
    const one = await World.ready();
    const two = await World.ready({ server: one.server, clock: one.clock });
    one.type('one');
    two.type('two');
    await one.clock.advance(40);
    const [first, second] = one.server.sockets;
    const log = one.there.log;
    one.there.events(first!, log);
    one.there.events(second!, log);
    await settle();
    expect(one.text()).toBe(two.text());
    expect(one.textThere()).toBe(two.text());
    expect([one.room.state().pending, two.room.state().pending]).toEqual([0, 0]);
  });
});
