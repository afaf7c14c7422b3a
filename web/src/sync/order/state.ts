/**
 * An order as the server confirmed it. Applying is assignment; the rules live at the server.
 *
 * `encode` gives the very bytes that the server's snapshot has, for the digest (R8).
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as pb from '../../generated/order_pb';
import { digestOf } from '../digest';
import { idFromText, idToText } from '../ids';
import { Unreadable } from '../replica';

export type OrderStatus = 'open' | 'submitted' | 'closed';

export interface Line {
  readonly id: number;
  readonly name: string;
  readonly priceMinor: number;
  /** null: unlimited. */
  readonly stock: number | null;
}

export interface Sum {
  readonly items: number;
  readonly minor: number;
}

export interface Quantity {
  readonly personId: string;
  readonly line: number;
  readonly count: number;
}

export class OrderBook {
  readonly #lines = new Map<number, Line>();
  /** By person and line. */
  readonly #quantities = new Map<string, Quantity>();
  readonly #totals = new Map<string, Sum>();
  total: Sum = { items: 0, minor: 0 };
  status: OrderStatus = 'open';
  statusBy: string | null = null;
  statusAtMs = 0;

  /** @throws Unreadable */
  static decode(bytes: Uint8Array): OrderBook {
    return reading(() => {
      const state = fromBinary(pb.OrderStateSchema, bytes);
      const book = new OrderBook();
      state.lines.forEach((line) => book.#setLine(line));
      state.quantities.forEach((quantity) => book.#setQuantity(quantity));
      state.totals.forEach((total) => book.#setTotal(total));
      if (state.total) book.total = sum(state.total);
      book.status = statusName(state.status);
      book.statusBy = person(state.statusBy);
      book.statusAtMs = num(state.statusAtMs);
      return book;
    });
  }

  /** @throws Unreadable */
  apply(bytes: Uint8Array): void {
    reading(() => {
      const effect = fromBinary(pb.OrderEffectSchema, bytes);
      effect.lines.forEach((line) => this.#setLine(line));
      effect.removedLines.forEach((line) => this.#removeLine(num(line)));
      effect.quantities.forEach((quantity) => this.#setQuantity(quantity));
      effect.totals.forEach((total) => this.#setTotal(total));
      if (effect.total) this.total = sum(effect.total);
      if (effect.status === undefined) return;
      this.status = statusName(effect.status);
      this.statusBy = person(effect.statusBy ?? new Uint8Array());
      this.statusAtMs = num(effect.statusAtMs ?? 0n);
    });
  }

  lines(): Line[] {
    return [...this.#lines.values()].sort((a, b) => a.id - b.id);
  }

  line(id: number): Line | null {
    return this.#lines.get(id) ?? null;
  }

  /** By person, then line, as the server's snapshot has them. */
  quantities(): Quantity[] {
    return [...this.#quantities.values()].sort((a, b) => compare(a.personId, b.personId) || a.line - b.line);
  }

  totals(): { readonly personId: string; readonly items: number; readonly minor: number }[] {
    const all = [...this.#totals].map(([personId, total]) => ({ personId, ...total }));
    return all.sort((a, b) => compare(a.personId, b.personId));
  }

  encode(): Uint8Array {
    const state = create(pb.OrderStateSchema, {
      lines: this.lines().map((line) =>
        create(pb.LineSchema, {
          id: BigInt(line.id),
          name: line.name,
          priceMinor: BigInt(line.priceMinor),
          ...(line.stock === null ? {} : { stock: line.stock }),
        }),
      ),
      quantities: this.quantities().map(({ personId, line, count }) =>
        create(pb.QuantitySchema, { personId: idFromText(personId), line: BigInt(line), count }),
      ),
      totals: this.totals().map(({ personId, items, minor }) =>
        create(pb.PersonTotalSchema, { personId: idFromText(personId), items, minor: BigInt(minor) }),
      ),
      total: create(pb.TotalSchema, { items: this.total.items, minor: BigInt(this.total.minor) }),
      status: statusNumber(this.status),
      statusBy: this.statusBy === null ? new Uint8Array() : idFromText(this.statusBy),
      statusAtMs: BigInt(this.statusAtMs),
    });
    return toBinary(pb.OrderStateSchema, state);
  }

  digest(): Uint8Array {
    return digestOf(this.encode());
  }

  #setLine(line: pb.Line): void {
    const id = num(line.id);
    this.#lines.set(id, { id, name: line.name, priceMinor: num(line.priceMinor), stock: line.stock ?? null });
  }

  #removeLine(id: number): void {
    this.#lines.delete(id);
    for (const [key, quantity] of this.#quantities) if (quantity.line === id) this.#quantities.delete(key);
  }

  #setQuantity({ personId, line, count }: pb.Quantity): void {
    const quantity = { personId: idToText(personId), line: num(line), count };
    const key = `${quantity.personId}/${quantity.line}`;
    if (count === 0) this.#quantities.delete(key);
    else this.#quantities.set(key, quantity);
  }

  #setTotal(total: pb.PersonTotal): void {
    const personId = idToText(total.personId);
    if (total.items === 0) this.#totals.delete(personId);
    else this.#totals.set(personId, { items: total.items, minor: num(total.minor) });
  }
}

const sum = (total: pb.Total): Sum => ({ items: total.items, minor: num(total.minor) });

const person = (bytes: Uint8Array): string | null => (bytes.length === 0 ? null : idToText(bytes));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function statusName(status: pb.Status): OrderStatus {
  switch (status) {
    case pb.Status.OPEN:
      return 'open';
    case pb.Status.SUBMITTED:
      return 'submitted';
    case pb.Status.CLOSED:
      return 'closed';
    default:
      throw new RangeError(`no status: ${String(status)}`);
  }
}

function statusNumber(status: OrderStatus): pb.Status {
  switch (status) {
    case 'open':
      return pb.Status.OPEN;
    case 'submitted':
      return pb.Status.SUBMITTED;
    case 'closed':
      return pb.Status.CLOSED;
  }
}

function num(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`number above 2^53: ${value}`);
  return Number(value);
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Unreadable('an order that cannot be read', { cause });
  }
}
