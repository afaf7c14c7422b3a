/**
 * An inbox as the server confirmed it. Applying is assignment; the rules live at the server.
 *
 * `encode` gives the very bytes that the server's snapshot has, for the digest (R8).
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as pb from '../../generated/inbox_pb';
import { digestOf } from '../digest';
import { Unreadable } from '../replica';

/** Deliveries that are known again; the core's `DELIVERED_MAX`. */
const DELIVERED_MAX = 64;

export class InboxBook {
  readonly #notices = new Map<number, pb.Notice>();
  #delivered: bigint[] = [];

  /** @throws Unreadable */
  static decode(bytes: Uint8Array): InboxBook {
    return reading(() => {
      const state = fromBinary(pb.InboxStateSchema, bytes);
      const book = new InboxBook();
      state.notices.forEach((notice) => book.#set(notice));
      book.#delivered = state.delivered;
      return book;
    });
  }

  /** @throws Unreadable */
  apply(bytes: Uint8Array): void {
    reading(() => {
      const effect = fromBinary(pb.InboxEffectSchema, bytes);
      effect.removed.forEach((id) => this.#notices.delete(num(id)));
      effect.notices.forEach((notice) => this.#set(notice));
      this.#mark(effect.read, true);
      this.#mark(effect.unread, false);
      if (effect.delivered === undefined) return;
      this.#delivered.push(effect.delivered);
      if (this.#delivered.length <= DELIVERED_MAX) return;
      const oldest = this.#delivered.reduce((a, b) => (b < a ? b : a));
      this.#delivered = this.#delivered.filter((known) => known !== oldest);
    });
  }

  /** In order of id. */
  notices(): pb.Notice[] {
    return [...this.#notices.values()].sort((a, b) => num(a.id) - num(b.id));
  }

  encode(): Uint8Array {
    const state = create(pb.InboxStateSchema, { notices: this.notices(), delivered: this.#delivered });
    return toBinary(pb.InboxStateSchema, state);
  }

  digest(): Uint8Array {
    return digestOf(this.encode());
  }

  #set(notice: pb.Notice): void {
    this.#notices.set(num(notice.id), notice);
  }

  #mark(ids: readonly bigint[], read: boolean): void {
    for (const id of ids) {
      const notice = this.#notices.get(num(id));
      if (notice) this.#notices.set(num(id), { ...notice, read });
    }
  }
}

export function num(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`number above 2^53: ${value}`);
  return Number(value);
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Unreadable('an inbox that cannot be read', { cause });
  }
}
