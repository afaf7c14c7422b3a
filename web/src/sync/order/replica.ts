/**
 * A group order at this side: the confirmed book, and own operations shown as pending beside it.
 *
 * Totals, counts and status are only ever the server's; an operation that is accepted stays
 * "pending" in the view until its entry is applied, so that no number jumps back.
 */
import type { PendingOp } from '../outbox';
import type { Replica, ReplicaHost } from '../replica';
import type { OrderLineInput, OrderOutcome, OrderReplica, OrderView, Peer } from '../types';
import { decodeOp, describeOp, encodeOp, type Op } from './op';
import { OrderBook } from './state';

interface Shown {
  readonly op: Op;
  /** Seq at which its entry shows it for good; null before it is accepted. */
  until: number | null;
}

export class OrderCore implements Replica, OrderReplica {
  readonly #host: ReplicaHost;
  readonly #me: () => string | null;
  #book = new OrderBook();
  #generation = 0;
  #head = 0;
  /** Names of lines that are gone, for the tray. */
  readonly #names = new Map<number, string>();
  readonly #shown = new Map<number, Shown>();
  readonly #listeners = new Set<() => void>();
  #view: OrderView | null = null;

  constructor(host: ReplicaHost, me: () => string | null) {
    this.#host = host;
    this.#me = me;
  }

  state(): OrderView {
    this.#view ??= viewOf(this.#book, [...this.#shown.values()].map(({ op }) => op), this.#me());
    return this.#view;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  adjust(id: number, delta: number): Promise<OrderOutcome> {
    return this.#ask({ type: 'adjust', id, delta });
  }

  addLine(line: OrderLineInput): Promise<OrderOutcome> {
    return this.#ask({ type: 'add', line });
  }

  editLine(id: number, line: OrderLineInput): Promise<OrderOutcome> {
    return this.#ask({ type: 'edit', id, line });
  }

  removeLine(id: number): Promise<OrderOutcome> {
    return this.#ask({ type: 'remove', id });
  }

  submit(): Promise<OrderOutcome> {
    return this.#ask({ type: 'submit' });
  }

  reopen(): Promise<OrderOutcome> {
    return this.#ask({ type: 'reopen' });
  }

  close(): Promise<OrderOutcome> {
    return this.#ask({ type: 'close' });
  }

  load(state: Uint8Array): void {
    this.#book = OrderBook.decode(state);
    this.#generation += 1;
    this.#shown.clear();
  }

  advance(state: Uint8Array): void {
    this.#book = OrderBook.decode(state);
  }

  apply(effect: Uint8Array): void {
    for (const line of this.#book.lines()) this.#names.set(line.id, line.name);
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

  describe(op: Uint8Array): string {
    return describeOp(decodeOp(op), (line) => this.#book.line(line)?.name ?? this.#names.get(line) ?? null);
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
      let bytes: Uint8Array;
      try {
        bytes = encodeOp(op);
      } catch {
        // Fractions, or numbers out of range: the server could not take them either.
        done({ ok: false, fault: { code: 'op_malformed', params: {} } });
        return;
      }
      this.#host.submit(bytes, this.#host.clock.now(), done);
    });
  }

  #changed(): void {
    this.#view = null;
    this.#host.changed();
    for (const listener of [...this.#listeners]) listener();
  }
}

function viewOf(book: OrderBook, pending: readonly Op[], me: string | null): OrderView {
  const deltas = new Map<number, number>();
  const changing = new Set<number>();
  const adding: OrderLineInput[] = [];
  let statusPending = false;
  for (const op of pending) {
    switch (op.type) {
      case 'adjust':
        deltas.set(op.id, (deltas.get(op.id) ?? 0) + op.delta);
        break;
      case 'add':
        adding.push(op.line);
        break;
      case 'edit':
      case 'remove':
        changing.add(op.id);
        break;
      case 'submit':
      case 'reopen':
      case 'close':
        statusPending = true;
        break;
      case 'unknown':
        break;
    }
  }
  const quantities = book.quantities();
  return {
    lines: book.lines().map((line) => {
      const taken = quantities.filter((quantity) => quantity.line === line.id);
      return {
        ...line,
        mine: taken.find(({ personId }) => personId === me)?.count ?? 0,
        pendingDelta: deltas.get(line.id) ?? 0,
        quantities: taken.map(({ personId, count }) => ({ personId, count })),
        changing: changing.has(line.id),
      };
    }),
    adding,
    totals: book.totals(),
    total: book.total,
    status: book.status,
    statusBy: book.statusBy,
    statusAt: book.statusAtMs === 0 ? null : book.statusAtMs,
    statusPending,
  };
}
