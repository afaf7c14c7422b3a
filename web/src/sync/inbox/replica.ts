/**
 * An inbox at this side: what the person did and the server has not confirmed yet shows as done. Marks show at once.
 */
import * as pb from '../../generated/inbox_pb';
import { idToText } from '../ids';
import { Ordered } from '../ordered';
import type { ReplicaHost } from '../replica';
import type { InboxReplica, InboxView, Notice, NoticeObject, OrderOutcome } from '../types';
import { decodeOp, encodeOp, type Op } from './op';
import { InboxBook, num } from './state';

export class InboxCore extends Ordered<InboxBook, Op, InboxView> implements InboxReplica {
  constructor(host: ReplicaHost) {
    super(host, { book: InboxBook, encodeOp, decodeOp, viewOf });
  }

  markRead(ids: readonly number[]): Promise<OrderOutcome> {
    return this.ask({ type: 'read', ids });
  }

  markUnread(ids: readonly number[]): Promise<OrderOutcome> {
    return this.ask({ type: 'unread', ids });
  }

  readUpTo(id: number): Promise<OrderOutcome> {
    return this.ask({ type: 'read_up_to', id });
  }

  remove(ids: readonly number[]): Promise<OrderOutcome> {
    return this.ask({ type: 'remove', ids });
  }
}

function viewOf(book: InboxBook, pending: readonly Op[]): InboxView {
  const all = book.notices().map(shown);
  const notices = pending.reduce(after, all).reverse();
  return { notices, unread: notices.filter(({ read }) => !read).length };
}

/** The notices as they are once the server has done this. */
function after(notices: readonly Notice[], op: Op): Notice[] {
  switch (op.type) {
    case 'read':
    case 'unread': {
      const ids = new Set(op.ids);
      const read = op.type === 'read';
      return notices.map((notice) => (ids.has(notice.id) ? { ...notice, read } : notice));
    }
    case 'read_up_to':
      return notices.map((notice) => (notice.id <= op.id ? { ...notice, read: true } : notice));
    case 'remove': {
      const ids = new Set(op.ids);
      return notices.filter(({ id }) => !ids.has(id));
    }
    case 'unknown':
      return [...notices];
  }
}

function shown({ id, told, atMs, count, read, outcome }: pb.Notice): Notice {
  const actor = told === undefined || told.actorId.length === 0 ? null : told;
  return {
    id: num(id),
    what: told?.what ?? '',
    actor: actor === null ? null : { id: idToText(actor.actorId), name: actor.actorName },
    object: objectOf(told?.object),
    params: Object.fromEntries((told?.params ?? []).map(({ name, value }) => [name, value])),
    at: num(atMs),
    count,
    read,
    outcome,
  };
}

function objectOf(object: pb.Object$ | undefined): NoticeObject | null {
  if (object === undefined) return null;
  const kind = kindOf(object.kind);
  return kind === null ? null : { kind, id: idToText(object.id), title: object.title };
}

function kindOf(kind: pb.ObjectKind): NoticeObject['kind'] | null {
  switch (kind) {
    case pb.ObjectKind.ROOM:
      return 'room';
    case pb.ObjectKind.FOLDER:
      return 'folder';
    case pb.ObjectKind.SPACE:
      return 'space';
    default:
      return null;
  }
}
