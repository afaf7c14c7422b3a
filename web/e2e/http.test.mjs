/** Documents over HTTP, as a script sees them, held against what Yjs and the editor's own library say. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { yXmlFragmentToProsemirrorJSON } from '@tiptap/y-tiptap';
import { DocumentManager } from '@y-sweet/sdk';
import * as Y from 'yjs';

import { documents } from './documents.mjs';
import { startServer } from './server.mjs';

const world = {};

before(async () => {
  world.server = await startServer(['--registration', 'open']);
  const account = { username: 'script', password: 'correct horse battery', email: 's@example.org' };
  world.token = (await call('POST', '/auth/register', JSON.stringify(account)).then((r) => r.json())).token;
});
after(() => world.server?.remove());

async function call(method, path, body) {
  const headers = world.token === undefined ? {} : { Authorization: `Bearer ${world.token}` };
  const answer = await fetch(`${world.server.url}/api/v1${path}`, { method, headers, body });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer;
}

const stateOf = async (room, stateVector = '') => {
  const answer = await call('GET', `/rooms/${room}/state?state_vector=${stateVector}`);
  const update = new Uint8Array(await answer.arrayBuffer());
  return { update, stateVector: answer.headers.get('weft-state-vector') };
};

/** Marks in order of name, bytes as arrays, and nothing that JSON does not say. */
function plain(value) {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const marks = (key, inner) =>
    key === 'marks' ? inner.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : inner;
  return Object.fromEntries(entries.map(([key, inner]) => [key, marks(key, plain(inner))]));
}

for (const { name, updates, doc } of documents()) {
  test(`${name}: state and JSON are what the libraries say`, async () => {
    const made = await call('POST', '/rooms', JSON.stringify({ kind: 'doc', title: name }));
    const { id } = await made.json();
    const replica = new Y.Doc();
    let since;
    for (const update of updates) {
      await call('POST', `/rooms/${id}/updates`, update);
      const { update: lacking, stateVector } = await stateOf(id, since);
      Y.applyUpdate(replica, lacking);
      since = stateVector;
    }
    const whole = new Y.Doc();
    Y.applyUpdate(whole, (await stateOf(id)).update);
    assert.deepEqual(Y.encodeStateVector(replica), Y.encodeStateVector(whole));
    const json = await (await call('GET', `/rooms/${id}/json`)).json();
    const expected = {};
    for (const root of doc.share.keys()) {
      const type = doc.share.get(root);
      expected[root] =
        type instanceof Y.XmlFragment ? yXmlFragmentToProsemirrorJSON(type) : type.toJSON();
      if (type instanceof Y.XmlFragment) {
        const alone = await call('GET', `/rooms/${id}/json?fragment=${root}`);
        assert.deepEqual(plain(await alone.json()), plain(expected[root]));
      }
    }
    assert.deepEqual(plain(json), plain(expected));
    for (const root of doc.share.keys()) {
      const kind = doc.share.get(root).constructor;
      for (const copy of [replica, whole]) {
        assert.deepEqual(copy.get(root, kind).toJSON(), doc.get(root, kind).toJSON());
      }
    }
  });
}

test('the y-sweet SDK makes a document, writes to it and reads it', async () => {
  const manager = new DocumentManager(`${world.server.url.replace('http', 'ys')}`.replace('//', `//${world.token}@`));
  const { docId } = await manager.createDoc('by-sdk');
  const doc = new Y.Doc();
  doc.getText('default').insert(0, 'from the SDK');
  await manager.updateDoc(docId, Y.encodeStateAsUpdate(doc));
  const copy = new Y.Doc();
  Y.applyUpdate(copy, await manager.getDocAsUpdate(docId));
  assert.equal(copy.getText('default').toString(), 'from the SDK');
  assert.equal(await (await call('GET', '/rooms/by-sdk/text')).text(), 'from the SDK');
  doc.destroy();
  copy.destroy();
});
