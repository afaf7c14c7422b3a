/**
 * My changes to one room: made into operations, sent, and what their outcomes mean.
 *
 * Accepted: nothing is left to do. Refused, or not allowed to be sent: out of the content and
 * into the tray. Not here: numbers and repeats (outbox.ts).
 */
import type { Keeper } from './keeper';
import { Outbox, type PendingOp } from './outbox';
import type { StoredOp } from './queue';
import type { Replica } from './replica';
import { Tray } from './tray';
import type { Clock, Fault, OrderOutcome, Right } from './types';
import type { ClientMessage } from './wire';

/** What a room needs, for my changes, of the connection it is on. */
export interface OwnLink {
  readonly clock: Clock;
  readonly keeper: Keeper;
  send(...messages: ClientMessage[]): void;
  ownClientId(): number;
  /** An id that is answered for no more (L3). */
  isRetired(clientId: number): boolean;
  opBytesMax(): number;
  window(): number;
  nextNumber(room: string, clientId: number): number;
  giveBack(room: string, clientId: number, number: number): void;
  /** Never the same twice on this page. */
  nextToken(): number;
  needClientId(): void;
}

export interface OwnRoom {
  replica(): Replica | null;
  roomId(): string;
  lineage(): number;
  right(): Right;
  /** The content holds what will never be saved: have it from the server anew. */
  attachAnew(): void;
  stirred(): void;
  changed(): void;
}

type Done = ((outcome: OrderOutcome) => void) | null;

export class Own {
  readonly outbox: Outbox;
  readonly tray: Tray;
  readonly #link: OwnLink;
  readonly #room: OwnRoom;
  #acknowledgedAt: number | null = null;
  #couldEdit = false;

  constructor(link: OwnLink, room: OwnRoom) {
    this.#link = link;
    this.#room = room;
    this.tray = new Tray(link.keeper);
    this.outbox = new Outbox({
      clock: link.clock,
      send: ({ room: to, clientId, clientSeq, bytes }) =>
        link.send({ type: 'submit', room: to, clientId, clientSeq, op: bytes }),
      write: (change) => link.keeper.write(change),
      nextNumber: (clientId) => link.nextNumber(room.roomId(), clientId),
      giveBack: (clientId, number) => link.giveBack(room.roomId(), clientId, number),
      window: () => link.window(),
      needClientId: () => link.needClientId(),
      accepted: (op, seq) => {
        this.#acknowledgedAt = link.clock.now();
        room.replica()?.accepted(op, seq);
        room.stirred();
      },
      refused: (op, fault) => this.#refused(op, fault),
      changed: () => room.changed(),
    });
  }

  acknowledgedAt(): number | null {
    return this.#acknowledgedAt;
  }

  /** Changes without outcome, those that are being typed included. */
  pending(): number {
    return this.outbox.count() + (this.#room.replica()?.gathered()?.count ?? 0);
  }

  oldestAt(): number | null {
    const times = [this.outbox.oldestAt(), this.#room.replica()?.gathered()?.since ?? null];
    const known = times.filter((at): at is number => at !== null);
    return known.length > 0 ? Math.min(...known) : null;
  }

  /** One operation of these bytes, sent as soon as may be; or straight to the tray. */
  submit(bytes: Uint8Array, since: number, done: Done): void {
    const fault = this.#localFault(bytes);
    if (!fault) {
      this.#room.replica()?.pending(this.#add(bytes, since, done, null), true);
      this.#room.stirred();
      this.#room.changed();
      return;
    }
    // An editor tidies up by itself when it opens: no change of a person who may not edit.
    if (fault.code === 'no_right' && !this.#couldEdit && this.#describe(bytes) === '') {
      done?.({ ok: false, fault });
      return;
    }
    const op = { ...this.#opOf(bytes, since, done), room: this.#room.roomId(), clientId: 0, clientSeq: 0 };
    this.#room.replica()?.pending(op, true);
    this.#refused(op, fault);
    this.#room.changed();
  }

  retry(id: string): void {
    const item = this.tray.get(id);
    if (!item || !this.tray.canRetry(item) || this.#localFault(item.bytes)) return;
    this.tray.forget(id);
    this.#room.replica()?.pending(this.#add(item.bytes, this.#link.clock.now(), null, id), false);
    this.#room.stirred();
    this.#room.changed();
  }

  /** What earlier visits left in the queue. */
  adopt(stored: readonly StoredOp[]): void {
    const known = new Set(this.outbox.ops().map(({ clientId, clientSeq }) => `${clientId}/${clientSeq}`));
    const since = this.#link.clock.now();
    const found = stored.filter(({ clientId, clientSeq }) => !known.has(`${clientId}/${clientSeq}`));
    this.outbox.adopt(found.map((op) => ({ ...op, token: this.#link.nextToken(), since, done: null })));
  }

  /** What may not be sent (again) goes to the tray: other content (L8), ids that are retired (L3). */
  setAside(): void {
    const lineage = this.#room.lineage();
    this.tray.setLineage(lineage);
    this.outbox.dropWhere((op) => op.lineage !== lineage, { code: 'replaced', params: {} });
    this.outbox.dropWhere((op) => this.#link.isRetired(op.clientId), { code: 'client_retired', params: {} });
  }

  /** Everything that waits goes over the content. */
  show(): void {
    for (const op of this.outbox.ops()) this.#room.replica()?.pending(op, false);
  }

  /** The room says what I may do. */
  rightIs(right: Right): void {
    if (mayEdit(right)) {
      this.#couldEdit = true;
      return;
    }
    this.#room.replica()?.flush();
    this.outbox.dropUnsent({ code: 'no_right', params: { needed: 'edit' } });
  }

  /** The room cannot take anything any more. */
  dropAll(why: Fault): void {
    this.outbox.dropWhere(() => true, why);
  }

  /** Whoever waits for an outcome is told that it is not known; the queue keeps the change. */
  stop(): void {
    for (const { done } of this.outbox.ops()) done?.({ ok: false, fault: { code: 'closed', params: {} } });
    this.outbox.stop();
  }

  #localFault(bytes: Uint8Array): Fault | null {
    if (!mayEdit(this.#room.right())) return { code: 'no_right', params: { needed: 'edit' } };
    const limit = this.#link.opBytesMax();
    return bytes.length > limit ? { code: 'op_too_large', params: { limit: String(limit) } } : null;
  }

  #add(bytes: Uint8Array, since: number, done: Done, fromTray: string | null): PendingOp {
    return this.outbox.add(this.#opOf(bytes, since, done), this.#room.roomId(), this.#link.ownClientId(), fromTray);
  }

  #opOf(bytes: Uint8Array, since: number, done: Done): Omit<PendingOp, 'room' | 'clientId' | 'clientSeq'> {
    return { bytes, lineage: this.#room.lineage(), madeAt: since, since, token: this.#link.nextToken(), done };
  }

  #refused(op: PendingOp, fault: Fault): void {
    this.tray.add(op, fault, this.#describe(op.bytes));
    op.done?.({ ok: false, fault });
    if (this.#room.replica()?.dropped(op)) this.#room.attachAnew();
  }

  #describe(bytes: Uint8Array): string {
    return this.#room.replica()?.describe(bytes) ?? '';
  }
}

function mayEdit(right: Right): boolean {
  switch (right) {
    case 'none':
    case 'read':
    case 'comment':
      return false;
    case 'edit':
    case 'manage':
      return true;
  }
}
