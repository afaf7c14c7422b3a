/**
 * An inbox at this side: the confirmed book, and over it what the person did and the server has not
 * confirmed yet. Marks show at once; no number jumps back when they are confirmed.
 */
import * as pb from '../../generated/inbox_pb';
import { idToText } from '../ids';
import type { PendingOp } from '../outbox';
import type { Replica, ReplicaHost } from '../replica';
import type { InboxReplica, InboxView, Notice, NoticeObject, OrderOutcome, Peer } from '../types';
import { decodeOp, encodeOp, type Op } from './op';
import { InboxBook, num } from './state';

interface Shown {
  readonly op: Op;
  /** Seq at which its entry shows it for good; null before it is accepted. */
  until: number | null;
}

export class InboxCore implements Replica, InboxReplica {
  readonly #host: ReplicaHost;
  #book = new InboxBook();
  #generation = 0;
  #head = 0;
  readonly #shown = new Map<number, Shown>();
  readonly #listeners = new Set<() => void>();
  #view: InboxView | null = null;

  constructor(host: ReplicaHost) {
    this.#host = host;
  }

  state(): InboxView {
    this.#view ??= viewOf(this.#book, [...this.#shown.values()].map(({ op }) => op));
    return this.#view;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  markRead(ids: readonly number[]): Promise<OrderOutcome> {
    return this.#ask({ type: 'read', ids });
  }

  markUnread(ids: readonly number[]): Promise<OrderOutcome> {
    return this.#ask({ type: 'unread', ids });
  }

  readUpTo(id: number): Promise<OrderOutcome> {
    return this.#ask({ type: 'read_up_to', id });
  }

  remove(ids: readonly number[]): Promise<OrderOutcome> {
    return this.#ask({ type: 'remove', ids });
  }

  load(state: Uint8Array): void {
    this.#book = InboxBook.decode(state);
    this.#generation += 1;
    this.#shown.clear();
  }

  advance(state: Uint8Array): void {
    this.#book = InboxBook.decode(state);
  }

  apply(effect: Uint8Array): void {
    this.#book.apply(effect);
  }

  /** Only now is the view told: an effect and the end of its pending state show together. */
  reached(head: number): void {
    this.#head = head;
    for (const [token, { until }] of this.#shown) {
      if (until !== null && until <= head) this.#shown.delete(token);
    }
    this.#changed();
  }

  pending(op: PendingOp): void {
    this.#shown.set(op.token, { op: decodeOp(op.bytes), until: null });
    this.#changed();
  }

  accepted(op: PendingOp, seq: number): void {
    const shown = this.#shown.get(op.token);
    if (!shown) return;
    shown.until = seq;
    if (seq <= this.#head) this.reached(this.#head);
  }

  dropped(op: PendingOp): boolean {
    if (this.#shown.delete(op.token)) this.#changed();
    return false;
  }

  digest(): Uint8Array {
    return this.#book.digest();
  }

  gathered(): null {
    return null;
  }

  flush(): void {}

  describe(_op: Uint8Array): string {
    return '';
  }

  peers(_peers: readonly Peer[]): void {}

  generation(): number {
    return this.#generation;
  }

  stop(): void {
    this.#listeners.clear();
  }

  #ask(op: Op): Promise<OrderOutcome> {
    return new Promise((done) => {
      this.#host.submit(encodeOp(op), this.#host.clock.now(), done);
    });
  }

  #changed(): void {
    this.#view = null;
    this.#host.changed();
    for (const listener of [...this.#listeners]) listener();
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
