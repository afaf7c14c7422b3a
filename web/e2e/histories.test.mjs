/**
 * Random histories of real Yjs documents in which the server's document takes part: in the end all have the
 * same, and read the same. `WEFT_HISTORIES` runs more, `WEFT_SEED` others; `WEFT_TRACE` names a recorded
 * concurrent trace (JSON, gzip) that is replayed too.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { yXmlFragmentToProsemirrorJSON } from '@tiptap/y-tiptap';
import * as Y from 'yjs';

const HISTORIES = Number(process.env.WEFT_HISTORIES ?? 200);
const SEED = Number(process.env.WEFT_SEED ?? 1);
const REPLICA =
  process.env.WEFT_REPLICA ?? fileURLToPath(new URL('../../target/release/weft-replica', import.meta.url));

/** The server's document: a program that answers each line by one. */
function start() {
  const child = spawn(REPLICA, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command, ...rest) => {
    child.stdin.write(`${[command, ...rest].join(' ')}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the replica ended at ${command}`);
    return value;
  };
  const bytes = async (...words) => Buffer.from(await ask(...words), 'hex');
  const hex = (update) => Buffer.from(update).toString('hex');
  return {
    end: () => child.kill(),
    clear: () => ask('new'),
    reopen: () => ask('reopen'),
    /** The effect, empty if it adds nothing; or the fault's code. */
    execute: async (update) => {
      const answer = await ask('execute', hex(update));
      return answer.startsWith('refused ') ? answer.slice(8) : Buffer.from(answer, 'hex');
    },
    snapshot: () => bytes('snapshot'),
    stateVector: () => bytes('state-vector'),
    missing: (vector) => bytes('missing', hex(vector)),
    digest: () => ask('digest'),
    text: async () => JSON.parse(await ask('text')),
    json: async (...name) => JSON.parse(await ask('json', ...name)),
  };
}

const server = start();
after(server.end);

/** Random numbers (SplitMix32), the same for the same seed. */
function dice(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (end) => next() % Math.max(end, 1);
  return { below, pick: (all) => all[below(all.length)], one: (chances) => below(chances) === 0 };
}

const roots = (doc) => ({
  array: doc.getArray('array'),
  default: doc.getXmlFragment('default'),
  map: doc.getMap('map'),
  text: doc.getText('text'),
});

const WORDS = ['a', 'soup', '好', '😀', '👩‍🚀 ', '\n', '"', 'ü\t', 'a longer piece of text '];
const MARKS = [
  { bold: true },
  { bold: null },
  { link: { href: 'https://example.org/?a="b"' } },
  { color: 'red', bold: {} },
  { 'comment--AAAAaaa+': { id: 7 } },
];
const VALUES = [0, 42, -1.25, 2 ** 60, true, null, 'word', '', [1, ['two', {}]], { a: { b: null } }, new Uint8Array([1, 255])];

/** Where a text may be cut without halving a character. */
function cuts(text) {
  const found = [0];
  for (const { insert } of text.toDelta()) {
    const pieces = typeof insert === 'string' ? [...insert] : [' '];
    for (const piece of pieces) found.push(found.at(-1) + piece.length);
  }
  return found;
}

function editText(text, { below, pick, one }) {
  const places = cuts(text);
  const from = below(places.length);
  const to = Math.min(from + below(6), places.length - 1);
  const [at, length] = [places[from], places[to] - places[from]];
  const what = length > 0 ? below(8) : 4 + below(4);
  if (what < 2) text.delete(at, length);
  else if (what < 4) text.format(at, length, pick(MARKS));
  else if (one(6)) text.insertEmbed(at, { image: pick(WORDS) });
  else if (one(4)) text.insert(at, pick(WORDS), pick(MARKS));
  else text.insert(at, pick(WORDS));
}

function value({ pick, one }, depth, isRoot) {
  if (depth > 3 || !one(3)) return pick(VALUES);
  const types = [
    () => new Y.Map([['k', pick(VALUES)]]),
    () => Y.Array.from([pick(VALUES), pick(VALUES)]),
    () => new Y.Text(pick(WORDS)),
  ];
  // A root list that holds elements is a fragment to the server.
  if (!isRoot) types.push(() => block({ pick, one }, depth));
  return pick(types)();
}

function block({ pick, one }, depth) {
  const element = new Y.XmlElement(pick(['paragraph', 'heading', 'bulletList', 'listItem']));
  if (one(3)) element.setAttribute('level', pick([1, 2, '3', true]));
  const inside = [];
  if (!one(4)) inside.push(new Y.XmlText(pick(WORDS)));
  if (depth < 4 && one(3)) inside.push(block({ pick, one }, depth + 1));
  element.insert(0, inside);
  return element;
}

function edit(type, luck, depth = 0) {
  const { below, pick, one } = luck;
  const inside = (item) => item instanceof Y.AbstractType && !one(3) && (edit(item, luck, depth + 1), true);
  if (type instanceof Y.Text) {
    editText(type, luck);
  } else if (type instanceof Y.Map) {
    const key = pick(['k', 'l', '键']);
    if (inside(type.get(key))) return;
    if (one(4)) type.delete(key);
    else type.set(key, value(luck, depth, false));
  } else if (type instanceof Y.Array) {
    const at = below(type.length + 1);
    if (at < type.length && inside(type.get(at))) return;
    if (at < type.length && one(3)) type.delete(at, 1 + below(Math.min(3, type.length - at)));
    else type.insert(at, Array.from({ length: 1 + below(3) }, () => value(luck, depth, type.parent === null)));
  } else {
    const at = below(type.length + 1);
    if (at < type.length && inside(type.get(at))) return;
    if (type instanceof Y.XmlElement && one(4)) type.setAttribute(pick(['level', 'align']), pick([1, 2, 'left']));
    else if (at < type.length && one(3)) type.delete(at, 1 + below(Math.min(3, type.length - at)));
    else type.insert(at, [one(3) && type instanceof Y.XmlElement ? new Y.XmlText(pick(WORDS)) : block(luck, depth)]);
  }
}

/** A client: a replica, what it has not sent yet, and how much of the log it has seen. */
function client(id, gc) {
  const doc = new Y.Doc({ gc });
  doc.clientID = id;
  const made = { doc, roots: roots(doc), unsent: [], seen: 0 };
  doc.on('update', (update, origin) => origin === 'net' || made.unsent.push(update));
  const types = Object.values(made.roots);
  made.undo = new Y.UndoManager(types, { captureTimeout: 0, trackedOrigins: new Set(['own']) });
  return made;
}

async function send(from, log, { below, one }) {
  let updates = from.unsent;
  if (one(6)) {
    updates = [Y.encodeStateAsUpdate(from.doc, one(3) ? undefined : await server.stateVector())];
  } else if (updates.length > 1 && one(2)) {
    const cut = 1 + below(updates.length);
    updates = [Y.mergeUpdates(updates.slice(0, cut)), ...updates.slice(cut)];
  }
  from.unsent = [];
  for (const update of updates) {
    let effect = await server.execute(update);
    if (effect === 'missing_predecessors') {
      // As the server would: it says what it has, and the client answers with all that it lacks.
      effect = await server.execute(Y.encodeStateAsUpdate(from.doc, await server.stateVector()));
    }
    assert(effect instanceof Buffer, `refused: ${effect}, ${Buffer.from(update).toString('hex')}`);
    if (effect.length > 0) log.push(effect);
  }
}

async function receive(to, log, { below, one }) {
  const take = (update) => Y.applyUpdate(to.doc, update, 'net');
  if (one(6)) {
    take(one(4) ? await server.snapshot() : await server.missing(Y.encodeStateVector(to.doc)));
    to.seen = log.length;
    return;
  }
  const end = to.seen + below(log.length - to.seen + 1);
  const news = log.slice(Math.max(0, to.seen - below(3)), end);
  if (news.length > 1 && one(2)) take(Y.mergeUpdates(news));
  else news.forEach(take);
  to.seen = end;
}

/** The digest of `docs/protocol.md`. */
function digestOf(doc) {
  const hash = createHash('sha256');
  const put = (letter, ...numbers) => {
    hash.update(letter);
    const bytes = Buffer.alloc(8);
    for (const number of numbers) {
      bytes.writeBigUInt64BE(BigInt(number));
      hash.update(bytes);
    }
  };
  const ascending = (map) => [...map].sort(([a], [b]) => a - b);
  const { ds, sv } = Y.snapshot(doc);
  for (const [id, clock] of ascending(sv)) if (clock > 0) put('c', id, clock);
  for (const [id, items] of ascending(ds.clients)) {
    const ranges = [];
    for (const { clock, len } of [...items].sort((a, b) => a.clock - b.clock)) {
      const last = ranges.at(-1);
      if (last !== undefined && clock <= last.end) last.end = Math.max(last.end, clock + len);
      else ranges.push({ clock, end: clock + len });
    }
    for (const { clock, end } of ranges) put('d', id, clock, end - clock);
  }
  return hash.digest('hex').slice(0, 16);
}

const plain = (text) =>
  text.toDelta().map(({ insert }) => (typeof insert === 'string' ? insert : '')).join('');

/** As `GET …/text` says it: a line for each innermost block. */
function textOf({ default: fragment, text }) {
  const lines = [];
  let line = null;
  const end = () => {
    if (line !== null) lines.push(line);
    line = null;
  };
  const walk = (node) => {
    if (node instanceof Y.XmlText) {
      line = (line ?? '') + plain(node);
    } else {
      if (node.length === 0) line ??= '';
      node.toArray().forEach(walk);
      end();
    }
  };
  fragment.toArray().forEach(walk);
  end();
  if (plain(text) !== '') lines.push(plain(text));
  return lines.join('\n');
}

/** A value as the server's JSON has it. */
function jsonOf(value) {
  if (value instanceof Y.Text) return plain(value);
  if (value instanceof Y.XmlElement) return yXmlFragmentToProsemirrorJSON({ toArray: () => [value] }).content[0];
  if (value instanceof Y.XmlFragment) return yXmlFragmentToProsemirrorJSON(value);
  if (value instanceof Y.Array) return value.toArray().map(jsonOf);
  if (value instanceof Y.Map) return Object.fromEntries([...value.entries()].map(([key, v]) => [key, jsonOf(v)]));
  return value instanceof Uint8Array ? [...value] : value;
}

/** Marks have no order. */
function sorted(json) {
  if (Array.isArray(json)) return json.map(sorted);
  if (json === null || typeof json !== 'object') return json;
  const entries = Object.entries(json).map(([key, inner]) => {
    const all = sorted(inner);
    const isMarks = key === 'marks' && Array.isArray(all);
    return [key, isMarks ? all.sort((a, b) => (a.type < b.type ? -1 : 1)) : all];
  });
  return Object.fromEntries(entries);
}

/** A root without content has no type at the server. */
const isEmpty = (type) => (type instanceof Y.Map ? type.size === 0 : type.length === 0);

async function readsAs(doc) {
  const all = roots(doc);
  assert.equal(doc.store.pendingStructs, null);
  assert.equal(doc.store.pendingDs, null);
  assert.equal(await server.digest(), digestOf(doc), 'digest');
  assert.deepEqual(Y.decodeStateVector(await server.stateVector()), Y.decodeStateVector(Y.encodeStateVector(doc)));
  assert.equal(await server.text(), textOf(all), 'text');
  const json = await server.json();
  for (const [name, type] of Object.entries(all)) {
    const expected = isEmpty(type) ? null : sorted(jsonOf(type));
    assert.deepEqual(sorted(json[name] ?? null), expected, `JSON of ${name}`);
  }
  assert.deepEqual(sorted(await server.json('default')), sorted(jsonOf(all.default)), 'the fragment');
}

function fresh(updates) {
  const doc = new Y.Doc();
  roots(doc);
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

async function history(seed) {
  const luck = dice(seed);
  const { below, pick, one } = luck;
  await server.clear();
  const ids = [1 + below(9), 70_000 + below(99), Number.MAX_SAFE_INTEGER - below(9), 2 ** 31 + below(9)];
  const clients = ids.slice(0, 2 + below(3)).map((id) => client(id, !one(3)));
  const log = [];
  for (let step = 20 + below(80); step > 0; step -= 1) {
    const who = pick(clients);
    if (one(12)) who.undo.undo();
    else if (one(16)) who.undo.redo();
    else who.doc.transact(() => edit(pick(Object.values(who.roots)), luck), 'own');
    if (one(3)) await send(who, log, luck);
    if (one(3)) await receive(pick(clients), log, luck);
    if (one(12)) {
      // Two meet without the server.
      const other = pick(clients);
      Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(who.doc, Y.encodeStateVector(other.doc)), 'net');
    }
    if (one(20)) await server.reopen();
  }
  const joined = [fresh(log), fresh([Y.mergeUpdates(log)]), fresh([await server.snapshot()])];
  await settle([...clients.map(({ doc }) => doc), ...joined]);
  await server.reopen();
  await readsAs(fresh([await server.snapshot()]));
}

/** All exchange until nobody learns anything; then all read the same. */
async function settle(docs) {
  let news = true;
  for (let round = 0; news; round += 1) {
    assert(round < 5, 'they come to an end');
    news = false;
    for (const doc of docs) {
      // Yjs clears away marks without effect when it learns of them: what it lacked may make news.
      Y.applyUpdate(doc, await server.missing(Y.encodeStateVector(doc)), 'net');
      const effect = await server.execute(Y.encodeStateAsUpdate(doc, await server.stateVector()));
      assert(effect instanceof Buffer, `refused: ${effect}`);
      news ||= effect.length > 0;
    }
  }
  for (const doc of docs) await readsAs(doc);
}

test(`L10 ${HISTORIES} random histories end as in Yjs`, async () => {
  const failures = [];
  for (let seed = SEED; seed < SEED + HISTORIES; seed += 1) {
    try {
      await history(seed);
    } catch (error) {
      failures.push(`seed ${seed}: ${error.message}`);
    }
  }
  assert.equal(failures.length, 0, `${failures.length} failed\n${failures.slice(0, 5).join('\n')}`);
});

const trace = process.env.WEFT_TRACE;
const skip = trace === undefined && 'WEFT_TRACE names no trace';
test('a recorded history of several writers ends as in Yjs', { skip }, async () => {
  const { numAgents, txns } = JSON.parse(gunzipSync(readFileSync(trace)));
  await server.clear();
  const writers = Array.from({ length: numAgents }, (_, agent) => {
    const doc = new Y.Doc();
    doc.clientID = agent + 1;
    return { doc, knows: new Set() };
  });
  const updates = [];
  /** Gives a writer what came before a transaction, and nothing else. */
  const tell = (writer, parents) => {
    const lacking = [];
    for (const stack = [...parents]; stack.length > 0; ) {
      const index = stack.pop();
      if (writer.knows.has(index)) continue;
      writer.knows.add(index);
      lacking.push(index);
      stack.push(...txns[index].parents);
    }
    for (const index of lacking.sort((a, b) => a - b)) Y.applyUpdate(writer.doc, updates[index], 'net');
  };
  for (const [index, { parents, agent, patches }] of txns.entries()) {
    const writer = writers[agent];
    tell(writer, parents);
    const text = writer.doc.getText('text');
    const before = Y.encodeStateVector(writer.doc);
    writer.doc.transact(() => {
      for (const [at, deleted, inserted] of patches) {
        if (deleted > 0) text.delete(at, deleted);
        text.insert(at, inserted);
      }
    });
    writer.knows.add(index);
    updates.push(Y.encodeStateAsUpdate(writer.doc, before));
    assert((await server.execute(updates[index])) instanceof Buffer, `transaction ${index}`);
  }
  await settle([...writers.map(({ doc }) => doc), fresh(updates)]);
  await server.reopen();
  await readsAs(fresh([await server.snapshot()]));
});
