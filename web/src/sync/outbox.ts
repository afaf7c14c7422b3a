/**
 * One room's operations without outcome: numbering, window, sending again (R5, R6, R7, L3).
 *
 * The list is in the order in which the operations were made. A *run* is a stretch of one client
 * id; only the first run is under way, because later ones may build on it and the server keeps
 * order only within one client. Every operation is in the durable queue until its outcome.
 *
 * Not here: what a refused operation means for the content (room.ts).
 */
import type { OpKey, QueueChange, StoredOp } from './queue';
import type { Clock, Fault, OrderOutcome } from './types';
import type { Outcome } from './wire';

const RETRY_MS = 2_000;
/** Every early operation is answered `missing`; one round of sending answers them all. */
const MISSING_ROUND_MS = 1_000;
/** How many answers the server remembers of one client (L3). */
const ANSWERS_KEPT = 64;

export interface PendingOp extends StoredOp {
  /** Tells it apart for as long as the page lives, also when it gets another number. */
  readonly token: number;
  /** Since when it waits as the person sees it: when made, or when found again. */
  readonly since: number;
  readonly done: ((outcome: OrderOutcome) => void) | null;
}

interface Slot {
  op: PendingOp;
  /** On its way on this attachment. */
  sent: boolean;
  /** May have reached the server at some time. */
  everSent: boolean;
  /** Null: being written. */
  kept: boolean | null;
}

export interface OutboxHost {
  readonly clock: Clock;
  send(op: PendingOp): void;
  write(change: QueueChange): Promise<boolean>;
  /** The next number of this client in this room; `nextNumber` takes it. */
  nextNumber(clientId: number): number;
  giveBack(clientId: number, number: number): void;
  window(): number;
  /** The numbering of an id has a hole: another id is needed for what waits under it. */
  needClientId(): void;
  accepted(op: PendingOp, seq: number): void;
  refused(op: PendingOp, fault: Fault): void;
  /** Counts, or whether something is kept, changed. */
  changed(): void;
}

export class Outbox {
  readonly #host: OutboxHost;
  #slots: Slot[] = [];
  #attached = false;
  #pauseTimer: unknown = null;
  #storeFailed = false;
  #spaceFull = false;
  #missing: { from: number; clientId: number; at: number } | null = null;
  #suspect: { from: number; clientId: number } | null = null;
  /** Ids whose numbering has a hole. */
  readonly #holed = new Set<number>();

  constructor(host: OutboxHost) {
    this.#host = host;
  }

  count(): number {
    return this.#slots.length;
  }

  oldestAt(): number | null {
    return this.#slots[0]?.op.since ?? null;
  }

  ops(): PendingOp[] {
    return this.#slots.map((slot) => slot.op);
  }

  storeFailed(): boolean {
    return this.#storeFailed;
  }

  spaceFull(): boolean {
    return this.#spaceFull;
  }

  /** An operation is neither answered nor kept by this browser. */
  wouldLose(): boolean {
    return this.#slots.some((slot) => slot.kept === false);
  }

  /** `fromTray`: leaves the tray in the same write. */
  add(op: Omit<PendingOp, keyof OpKey>, room: string, clientId: number, fromTray: string | null): PendingOp {
    const made: PendingOp = { ...op, room, clientId, clientSeq: this.#host.nextNumber(clientId) };
    const slot: Slot = { op: made, sent: false, everSent: false, kept: null };
    this.#slots.push(slot);
    this.#keep([slot], fromTray === null ? {} : { removeTray: [fromTray] });
    this.#pump();
    return made;
  }

  /** What an earlier visit left, before everything of this one. */
  adopt(ops: readonly PendingOp[]): void {
    const slots = ops.map((op): Slot => ({ op, sent: false, everSent: true, kept: true }));
    this.#slots = [...slots, ...this.#slots];
    this.#host.changed();
  }

  /** R5: after `Attached` all unanswered ones go again, in order. */
  attached(ownClientId: number): void {
    this.#attached = true;
    this.#storeFailed = this.#spaceFull = false;
    this.#renumber(ownClientId);
    this.resendAll();
  }

  detached(): void {
    this.#attached = false;
    this.#unpause();
  }

  resendAll(): void {
    this.#unpause();
    for (const slot of this.#slots) slot.sent = false;
    this.#pump();
  }

  /** R6: `Storing`. */
  storing(ok: boolean): void {
    this.#storeFailed = !ok;
    this.#spaceFull &&= !ok;
    if (ok) this.resendAll();
    else this.#pause(RETRY_MS);
    this.#host.changed();
  }

  outcomes(clientId: number, outcomes: readonly Outcome[]): void {
    const settled: OpKey[] = [];
    for (const { clientSeq, is } of outcomes) {
      switch (is.type) {
        case 'accepted':
        case 'refused': {
          const op = this.#take(clientId, clientSeq);
          if (!op) break;
          settled.push(op);
          if (is.type === 'accepted') this.#accept(op, is.seq);
          else this.#host.refused(op, is.fault);
          break;
        }
        case 'not_saved':
          this.#notSaved(clientId, clientSeq, is.fault);
          break;
        case 'missing':
          this.missing(clientId, is.from);
          break;
      }
    }
    if (settled.length > 0) {
      void this.#host.write({ removeOps: settled });
      this.#pump();
    }
    this.#host.changed();
  }

  /** R4: an entry with one of my numbers is as good as an outcome. */
  seen(clientId: number, clientSeq: number, seq: number): void {
    const op = this.#take(clientId, clientSeq);
    if (!op) return;
    void this.#host.write({ removeOps: [op] });
    this.#accept(op, seq);
    this.#pump();
    this.#host.changed();
  }

  /** R7; also what `client_window` says. */
  missing(clientId: number, from: number): void {
    const mine = this.#slots.filter((slot) => slot.op.clientId === clientId);
    const first = mine[0];
    if (!first) return;
    if (from < first.op.clientSeq) {
      this.#suspectHole(clientId, from);
      return;
    }
    const now = this.#host.clock.now();
    const last = this.#missing;
    if (last && last.from === from && last.clientId === clientId && now < last.at + MISSING_ROUND_MS) return;
    this.#missing = { from, clientId, at: now };
    for (const slot of mine) if (slot.op.clientSeq >= from) slot.sent = false;
    this.#pump();
  }

  /** `client_window`: of numbers so far back the answers are forgotten; the person decides. */
  outOfWindow(from: number, why: Fault): void {
    const clientId = this.#slots[0]?.op.clientId;
    if (clientId === undefined) return;
    const forgotten = this.#slots.filter(({ op }) => op.clientId === clientId && op.clientSeq < from - ANSWERS_KEPT);
    for (const { op } of forgotten) this.drop(op, why);
    this.missing(clientId, from);
  }

  /** Takes these out for good, as refused for `why`. */
  dropWhere(which: (op: PendingOp) => boolean, why: Fault): void {
    for (const { op } of this.#slots.filter((slot) => which(slot.op))) this.drop(op, why);
  }

  /** Takes back what the server cannot have seen, so that its numbers are free again. */
  dropUnsent(why: Fault): void {
    for (;;) {
      const last = this.#slots.at(-1);
      if (!last || last.everSent) return;
      this.#host.giveBack(last.op.clientId, last.op.clientSeq);
      this.drop(last.op, why);
    }
  }

  drop(op: PendingOp, why: Fault): void {
    if (!this.#take(op.clientId, op.clientSeq)) return;
    this.#host.refused(op, why);
    this.#host.changed();
  }

  stop(): void {
    this.detached();
  }

  #take(clientId: number, clientSeq: number): PendingOp | null {
    const at = this.#slots.findIndex(({ op }) => op.clientId === clientId && op.clientSeq === clientSeq);
    const slot = this.#slots[at];
    if (!slot) return null;
    this.#slots.splice(at, 1);
    return slot.op;
  }

  #accept(op: PendingOp, seq: number): void {
    this.#storeFailed = this.#spaceFull = false;
    this.#suspect = null;
    this.#host.accepted(op, seq);
    op.done?.({ ok: true, seq });
  }

  #notSaved(clientId: number, from: number, fault: Fault): void {
    if (fault.code === 'store_failed') this.#storeFailed = true;
    if (fault.code === 'quota_exceeded') this.#spaceFull = true;
    for (const slot of this.#slots) {
      if (slot.op.clientId === clientId && slot.op.clientSeq >= from) slot.sent = false;
    }
    const asked = Number(fault.params['retry_ms']);
    this.#pause(Number.isFinite(asked) && asked > 0 ? asked : RETRY_MS);
  }

  #pause(ms: number): void {
    this.#unpause();
    this.#pauseTimer = this.#host.clock.setTimeout(() => this.resendAll(), ms);
  }

  #unpause(): void {
    if (this.#pauseTimer !== null) this.#host.clock.clearTimeout(this.#pauseTimer);
    this.#pauseTimer = null;
  }

  #pump(): void {
    if (!this.#attached || this.#pauseTimer !== null) return;
    const clientId = this.#slots[0]?.op.clientId;
    if (clientId === undefined || this.#holed.has(clientId)) return;
    const window = this.#host.window();
    for (const [at, slot] of this.#slots.entries()) {
      if (slot.op.clientId !== clientId || at >= window) return;
      if (slot.sent) continue;
      slot.sent = slot.everSent = true;
      this.#host.send(slot.op);
    }
  }

  /**
   * The server lacks a number that has its outcome already (it went back to a backup). Believed
   * only when it says so again after a pause: an answer may have crossed with the outcome.
   */
  #suspectHole(clientId: number, from: number): void {
    const suspect = this.#suspect;
    if (suspect?.clientId !== clientId || suspect.from !== from) {
      this.#suspect = { clientId, from };
      this.#pause(MISSING_ROUND_MS);
    } else if (this.#pauseTimer === null && !this.#holed.has(clientId)) {
      this.#holed.add(clientId);
      this.#host.needClientId();
    }
  }

  /** What waits under a holed id was never taken by the server (L4), so it may get new numbers. */
  #renumber(ownClientId: number): void {
    if (this.#holed.has(ownClientId)) return;
    const moved = this.#slots.filter((slot) => this.#holed.has(slot.op.clientId));
    if (moved.length === 0) return;
    const removeOps = moved.map((slot) => slot.op);
    for (const slot of moved) {
      slot.op = { ...slot.op, clientId: ownClientId, clientSeq: this.#host.nextNumber(ownClientId) };
    }
    this.#keep(moved, { removeOps });
  }

  #keep(slots: readonly Slot[], also: QueueChange = {}): void {
    void this.#host.write({ ...also, putOps: slots.map(({ op }) => stored(op)) }).then((kept) => {
      for (const slot of slots) slot.kept = kept;
      if (kept) this.#keepAgain();
      this.#host.changed();
    });
  }

  /** The store takes changes (again): also those that it did not take before. */
  #keepAgain(): void {
    const lost = this.#slots.filter((slot) => slot.kept === false);
    for (const slot of lost) slot.kept = null;
    if (lost.length > 0) this.#keep(lost);
  }
}

function stored(op: PendingOp): StoredOp {
  const { room, clientId, clientSeq, bytes, lineage, madeAt } = op;
  return { room, clientId, clientSeq, bytes, lineage, madeAt };
}
