import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as pb from '../../generated/inbox_pb';
import { idFromText } from '../ids';
import type { PendingOp } from '../outbox';
import { FakeClock } from '../testing/clock';
import { fromHex, toHex } from '../testing/hex';
import { ROOM } from '../testing/world';
import { decodeOp, encodeOp, type Op } from './op';
import { InboxCore } from './replica';
import { InboxBook } from './state';

interface Vector {
  readonly name: string;
  readonly steps: readonly { readonly effect: string; readonly state: string; readonly digest: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../proto/vectors/inbox.json', import.meta.url), 'utf8'),
) as Vector[];

describe('vectors made by the core', () => {
  test.each(vectors)('$name', ({ steps }) => {
    const book = new InboxBook();
    for (const { effect, state, digest } of steps) {
      book.apply(fromHex(effect));
      expect(toHex(book.encode())).toBe(state);
      expect(toHex(book.digest())).toBe(digest);
      const again = InboxBook.decode(fromHex(state));
      expect(toHex(again.encode())).toBe(state);
    }
  });
});

test('operations come back as they were', () => {
  const ops: Op[] = [
    { type: 'read', ids: [1, 300] },
    { type: 'unread', ids: [2] },
    { type: 'remove', ids: [] },
    { type: 'read_up_to', id: 9 },
  ];
  for (const op of ops) expect(decodeOp(encodeOp(op))).toEqual(op);
  expect(decodeOp(new Uint8Array([255]))).toEqual({ type: 'unknown' });
});

function effect(of: Parameters<typeof create<typeof pb.InboxEffectSchema>>[1]): Uint8Array {
  return toBinary(pb.InboxEffectSchema, create(pb.InboxEffectSchema, of));
}

test('of the deliveries those with the highest numbers are known', () => {
  const book = new InboxBook();
  const come = [...Array(63).keys()].map((n) => n + 10);
  for (const delivered of [...come, 5, 80, 81]) book.apply(effect({ delivered: BigInt(delivered) }));
  const { delivered } = fromBinary(pb.InboxStateSchema, book.encode());
  expect(delivered).toEqual([...come.slice(1), 80, 81].map(BigInt));
});

/** An inbox with these notices of which none is read; ids are seqs. */
function inboxOf(...ids: number[]) {
  const submitted: Uint8Array[] = [];
  const inbox = new InboxCore({
    clock: new FakeClock(),
    submit: (bytes) => void submitted.push(bytes),
    opBytesMax: () => 1_000,
    setPresence: () => undefined,
    changed: () => undefined,
    broken: () => undefined,
  });
  inbox.load(new Uint8Array());
  for (const id of ids) {
    const told = {
      what: 'mention',
      actorId: idFromText(ROOM),
      actorName: 'Lin',
      object: { kind: pb.ObjectKind.ROOM, id: idFromText(ROOM), title: 'Plan' },
      params: [{ name: 'right', value: 'edit' }],
    };
    inbox.apply(effect({ notices: [{ id: BigInt(id), told, atMs: 5n, count: 1 }] }));
    inbox.reached(id);
  }
  return { inbox, submitted };
}

const op = (token: number, of: Op): PendingOp => ({ token, bytes: encodeOp(of) }) as unknown as PendingOp;

test('the newest notice comes first, with who did what to what', () => {
  const { inbox } = inboxOf(2, 3);
  const { notices, unread } = inbox.state();
  expect(unread).toBe(2);
  expect(notices.map(({ id }) => id)).toEqual([3, 2]);
  expect(notices[0]).toEqual({
    id: 3,
    what: 'mention',
    actor: { id: ROOM, name: 'Lin' },
    object: { kind: 'room', id: ROOM, title: 'Plan' },
    params: { right: 'edit' },
    at: 5,
    count: 1,
    read: false,
    outcome: '',
  });
});

test('a mark shows at once, and does not jump back before its entry is here', () => {
  const { inbox, submitted } = inboxOf(2, 3);
  const seen: number[] = [];
  inbox.subscribe(() => seen.push(inbox.state().unread));
  void inbox.markRead([2]);
  const marking = op(1, decodeOp(submitted[0] ?? new Uint8Array()));
  inbox.pending(marking);
  inbox.accepted(marking, 4);
  inbox.apply(effect({ read: [2n] }));
  inbox.reached(4);
  expect(new Set(seen)).toEqual(new Set([1]));
  expect(inbox.state().notices.map(({ read }) => read)).toEqual([false, true]);
});

test('what was refused shows as it was', () => {
  const { inbox } = inboxOf(2);
  const removing = op(1, { type: 'remove', ids: [2] });
  inbox.pending(removing);
  expect(inbox.state()).toEqual({ notices: [], unread: 0 });
  inbox.dropped(removing);
  expect(inbox.state().unread).toBe(1);
});

test('all read up to what one has seen: what came since stays new', () => {
  const { inbox } = inboxOf(2, 3);
  inbox.pending(op(1, { type: 'read_up_to', id: 2 }));
  expect(inbox.state().notices.map(({ id, read }) => [id, read])).toEqual([
    [3, false],
    [2, true],
  ]);
});
