/**
 * What a kind of room supplies at this side: its content, and how operations show in it.
 *
 * A replica never decides anything (that is the server's); `apply` is assignment or merge. It is
 * told of own operations without outcome, so that it can show them over the confirmed content.
 */
import type { PendingOp } from './outbox';
import type { Clock, OrderOutcome, Peer } from './types';

/** The bytes are no state or effect of this kind that this version can read. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

export interface ReplicaHost {
  readonly clock: Clock;
  /** Makes one operation of what was done from `since` on; `done` is called at its outcome. */
  submit(bytes: Uint8Array, since: number, done: ((outcome: OrderOutcome) => void) | null): void;
  opBytesMax(): number;
  setPresence(data: unknown): void;
  /** What is gathered but no operation yet, or the view, changed. */
  changed(): void;
  /** The content cannot be trusted any more: have it from the server. */
  broken(): void;
}

export interface Replica {
  /** Replaces everything. @throws Unreadable */
  load(state: Uint8Array): void;
  /** A later state of the same lineage and epoch. @throws Unreadable */
  advance(state: Uint8Array): void;
  /** @throws Unreadable */
  apply(effect: Uint8Array): void;
  /** Everything up to here is applied. */
  reached(head: number): void;
  /** An own operation without outcome. `fresh`: made on this replica, so already in it. */
  pending(op: PendingOp, fresh: boolean): void;
  accepted(op: PendingOp, seq: number): void;
  /** It will not take effect. True: the content holds it, and must come from the server anew. */
  dropped(op: PendingOp): boolean;
  /** Null while the content does not stand at the head. */
  digest(): Uint8Array | null;
  /** Typed, but no operation yet. */
  gathered(): { readonly count: number; readonly since: number } | null;
  flush(): void;
  /** What an operation says, for the tray. */
  describe(op: Uint8Array): string;
  peers(peers: readonly Peer[]): void;
  generation(): number;
  stop(): void;
}
