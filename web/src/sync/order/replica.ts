/**
 * A group order at this side: the confirmed book, and own operations shown as pending beside it.
 *
 * Totals, counts and status are only ever the server's.
 */
import { Ordered } from '../ordered';
import type { ReplicaHost } from '../replica';
import type { OrderLineInput, OrderOutcome, OrderReplica, OrderView } from '../types';
import { decodeOp, describeOp, encodeOp, type Op } from './op';
import { OrderBook } from './state';

export class OrderCore extends Ordered<OrderBook, Op, OrderView> implements OrderReplica {
  /** Names of lines that are gone, for the tray. */
  readonly #names = new Map<number, string>();

  constructor(host: ReplicaHost, me: () => string | null) {
    super(host, {
      book: OrderBook,
      encodeOp,
      decodeOp,
      viewOf: (book, pending) => viewOf(book, pending, me()),
    });
  }

  adjust(id: number, delta: number): Promise<OrderOutcome> {
    return this.ask({ type: 'adjust', id, delta });
  }

  addLine(line: OrderLineInput): Promise<OrderOutcome> {
    return this.ask({ type: 'add', line });
  }

  editLine(id: number, line: OrderLineInput): Promise<OrderOutcome> {
    return this.ask({ type: 'edit', id, line });
  }

  removeLine(id: number): Promise<OrderOutcome> {
    return this.ask({ type: 'remove', id });
  }

  submit(): Promise<OrderOutcome> {
    return this.ask({ type: 'submit' });
  }

  reopen(): Promise<OrderOutcome> {
    return this.ask({ type: 'reopen' });
  }

  close(): Promise<OrderOutcome> {
    return this.ask({ type: 'close' });
  }

  override apply(effect: Uint8Array): void {
    for (const line of this.book.lines()) this.#names.set(line.id, line.name);
    super.apply(effect);
  }

  override describe(op: Uint8Array): string {
    return describeOp(decodeOp(op), (line) => this.book.line(line)?.name ?? this.#names.get(line) ?? null);
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
