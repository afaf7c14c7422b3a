/**
 * An object whose operations the server puts in order, at this side: the confirmed book, and over it the own
 * operations that the server has not confirmed yet.
 *
 * An operation that is accepted stays shown until its entry is applied, so that no number jumps back.
 *
 * Not here: what a book holds, and how operations show in it (`OrderedKind`, which each kind brings).
 */
import type { PendingOp } from './outbox';
import type { Replica, ReplicaHost } from './replica';
import type { OrderOutcome, Peer } from './types';

/** What the server has confirmed. */
interface Book {
  /** @throws Unreadable */
  apply(effect: Uint8Array): void;
  digest(): Uint8Array;
}

export interface OrderedKind<B extends Book, Op, View> {
  readonly book: {
    new (): B;
    /** @throws Unreadable */
    decode(state: Uint8Array): B;
  };
  /** Throws for what the server could not take either. */
  encodeOp(op: Op): Uint8Array;
  /** Never throws. */
  decodeOp(bytes: Uint8Array): Op;
  /** What is shown: what is confirmed, and the own operations that are not, in their order. */
  viewOf(book: B, pending: readonly Op[]): View;
}

interface Shown<Op> {
  readonly op: Op;
  /** Seq at which its entry shows it for good; null before it is accepted. */
  until: number | null;
}

export class Ordered<B extends Book, Op, View> implements Replica {
  protected book: B;
  readonly #host: ReplicaHost;
  readonly #kind: OrderedKind<B, Op, View>;
  #generation = 0;
  #head = 0;
  readonly #shown = new Map<number, Shown<Op>>();
  readonly #listeners = new Set<() => void>();
  #view: View | null = null;

  protected constructor(host: ReplicaHost, kind: OrderedKind<B, Op, View>) {
    this.#host = host;
    this.#kind = kind;
    this.book = new kind.book();
  }

  state(): View {
    this.#view ??= this.#kind.viewOf(this.book, [...this.#shown.values()].map(({ op }) => op));
    return this.#view;
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  load(state: Uint8Array): void {
    this.book = this.#kind.book.decode(state);
    this.#generation += 1;
    this.#shown.clear();
  }

  advance(state: Uint8Array): void {
    this.book = this.#kind.book.decode(state);
  }

  apply(effect: Uint8Array): void {
    this.book.apply(effect);
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
    this.#shown.set(op.token, { op: this.#kind.decodeOp(op.bytes), until: null });
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
    return this.book.digest();
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

  /** Sends an operation; what came of it. */
  protected ask(op: Op): Promise<OrderOutcome> {
    return new Promise((done) => {
      let bytes: Uint8Array;
      try {
        bytes = this.#kind.encodeOp(op);
      } catch {
        // Fractions, or numbers out of range.
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
