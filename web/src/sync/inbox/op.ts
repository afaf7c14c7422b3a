/** What a person can ask of their inbox, as a tagged union, and its bytes. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as pb from '../../generated/inbox_pb';

export type Op =
  | { readonly type: 'read' | 'unread' | 'remove'; readonly ids: readonly number[] }
  | { readonly type: 'read_up_to'; readonly id: number }
  /** Of another version. */
  | { readonly type: 'unknown' };

export function encodeOp(op: Op): Uint8Array {
  return toBinary(pb.InboxOpSchema, create(pb.InboxOpSchema, { op: body(op) }));
}

function body(op: Op): pb.InboxOp['op'] {
  switch (op.type) {
    case 'read':
      return { case: 'markRead', value: ids(op.ids) };
    case 'unread':
      return { case: 'markUnread', value: ids(op.ids) };
    case 'remove':
      return { case: 'remove', value: ids(op.ids) };
    case 'read_up_to':
      return { case: 'readUpTo', value: create(pb.ReadUpToSchema, { id: BigInt(op.id) }) };
    case 'unknown':
      return { case: undefined };
  }
}

function ids(of: readonly number[]): pb.Ids {
  return create(pb.IdsSchema, { ids: of.map(BigInt) });
}

/** Never throws: what cannot be read is `unknown`. */
export function decodeOp(bytes: Uint8Array): Op {
  try {
    return opOf(fromBinary(pb.InboxOpSchema, bytes).op);
  } catch {
    return { type: 'unknown' };
  }
}

function opOf(op: pb.InboxOp['op']): Op {
  switch (op.case) {
    case 'markRead':
      return { type: 'read', ids: op.value.ids.map(Number) };
    case 'markUnread':
      return { type: 'unread', ids: op.value.ids.map(Number) };
    case 'remove':
      return { type: 'remove', ids: op.value.ids.map(Number) };
    case 'readUpTo':
      return { type: 'read_up_to', id: Number(op.value.id) };
    case 'add':
    case 'settle':
    case undefined:
      return { type: 'unknown' };
  }
}
