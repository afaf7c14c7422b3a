/** The digest of a document, as docs/protocol.md has it: what each Yjs client wrote, and what is deleted. */
import * as Y from 'yjs';
import { digestOf } from '../digest';

const CLOCK_TAG = 0x63;
const DELETED_TAG = 0x64;

export function docDigest(ydoc: Y.Doc): Uint8Array {
  const numbers: number[][] = [];
  for (const client of ascending(ydoc.store.clients.keys())) {
    const clock = Y.getState(ydoc.store, client);
    if (clock > 0) numbers.push([CLOCK_TAG, client, clock]);
  }
  const deleted = Y.createDeleteSetFromStructStore(ydoc.store).clients;
  for (const client of ascending(deleted.keys())) {
    for (const { start, length } of ranges(deleted.get(client) ?? [])) {
      numbers.push([DELETED_TAG, client, start, length]);
    }
  }
  return digestOf(bytesOf(numbers));
}

function ascending(clients: Iterable<number>): number[] {
  return [...clients].sort((a, b) => a - b);
}

interface Range {
  start: number;
  length: number;
}

/** Ascending, touching ones merged. */
function ranges(items: readonly { clock: number; len: number }[]): Range[] {
  const merged: Range[] = [];
  for (const { clock, len } of [...items].sort((a, b) => a.clock - b.clock)) {
    const last = merged.at(-1);
    if (last && last.start + last.length === clock) last.length += len;
    else merged.push({ start: clock, length: len });
  }
  return merged;
}

/** Each row: one byte of tag, then numbers of 8 bytes, big endian. */
function bytesOf(rows: readonly number[][]): Uint8Array {
  const size = rows.reduce((sum, row) => sum + 1 + 8 * (row.length - 1), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [tag = 0, ...rest] of rows) {
    bytes[at] = tag;
    at += 1;
    for (const number of rest) {
      view.setBigUint64(at, BigInt(number));
      at += 8;
    }
  }
  return bytes;
}
