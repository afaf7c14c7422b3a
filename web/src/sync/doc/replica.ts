/**
 * A document at this side: a Y.Doc that merges entries, and makes operations of what is typed.
 *
 * Each `load` makes a new Y.Doc (a new *generation*): nothing of the old one may leak into it.
 * Start at [`DocCore.load`] and [`DocCore.apply`]. Not here: when to send (gather.ts, outbox.ts).
 */
import * as Y from 'yjs';
import type { PendingOp } from '../outbox';
import { Unreadable, type Replica, type ReplicaHost } from '../replica';
import type { DocReplica, Peer } from '../types';
import { AwarenessBridge } from './awareness';
import { docDigest } from './digest';
import { Gather } from './gather';
import { hasPredecessors, insertedText } from './update';

/** Origin of everything that was not typed here and now; undo leaves it alone. */
export const REMOTE = Object.freeze({ name: 'weft' });

export class DocCore implements Replica {
  readonly #host: ReplicaHost;
  readonly #gather: Gather;
  #generation = 0;
  #ydoc: Y.Doc | null = null;
  #bridge: AwarenessBridge | null = null;
  #view: DocReplica | null = null;
  #peers: readonly Peer[] = [];
  /** While an input method composes: effects that wait, in order. */
  #held: Uint8Array[] | null = null;
  /** Tokens of own operations that the present Y.Doc holds. */
  readonly #within = new Set<number>();
  /** Own operations of earlier visits that build on entries which have not come yet, in order. */
  #early: PendingOp[] = [];

  constructor(host: ReplicaHost) {
    this.#host = host;
    this.#gather = new Gather(host.clock, () => host.opBytesMax(), (update, since) => host.submit(update, since, null));
  }

  view(): DocReplica | null {
    return this.#view;
  }

  generation(): number {
    return this.#generation;
  }

  load(state: Uint8Array): void {
    const ydoc = new Y.Doc();
    if (state.length > 0) readInto(ydoc, state);
    // What was typed into the old content goes out as it is; the server judges it.
    this.#gather.flush();
    this.#generation += 1;
    this.#within.clear();
    this.#early = [];
    this.#ydoc = ydoc;
    if (this.#held) this.#held = [];
    ydoc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== REMOTE) this.#typed(ydoc, update);
    });
    this.#bridge = new AwarenessBridge(ydoc, (presence) => {
      if (this.#ydoc === ydoc) this.#host.setPresence(presence);
    });
    this.#bridge.peers(this.#peers);
    this.#view = {
      ydoc,
      generation: this.#generation,
      awareness: this.#bridge.awareness,
      flush: () => this.flush(),
      hold: (on) => this.#hold(on),
    };
  }

  advance(state: Uint8Array): void {
    this.apply(state);
  }

  apply(effect: Uint8Array): void {
    if (this.#held) this.#held.push(effect);
    else readInto(this.#mustDoc(), effect);
  }

  /** What has come may be what own operations waited for. */
  reached(): void {
    const early = this.#early;
    this.#early = [];
    for (const op of early) this.pending(op, false);
  }

  pending(op: PendingOp, fresh: boolean): void {
    const ydoc = this.#mustDoc();
    if (!fresh) {
      try {
        // Without its predecessors it would lie in wait in the document.
        if (!hasPredecessors(ydoc, op.bytes)) {
          this.#early = [...this.#early.filter(({ token }) => token !== op.token), op];
          return;
        }
        readInto(ydoc, op.bytes);
      } catch {
        return;
      }
    }
    this.#within.add(op.token);
  }

  accepted(op: PendingOp): void {
    this.dropped(op);
  }

  dropped(op: PendingOp): boolean {
    this.#early = this.#early.filter(({ token }) => token !== op.token);
    return this.#within.delete(op.token);
  }

  digest(): Uint8Array | null {
    if (!this.#ydoc || this.#held || this.#gather.since() !== null) return null;
    return docDigest(this.#ydoc);
  }

  gathered(): { count: number; since: number } | null {
    const since = this.#gather.since();
    return since === null ? null : { count: 1, since };
  }

  flush(): void {
    this.#gather.flush();
  }

  describe(op: Uint8Array): string {
    return insertedText(op);
  }

  peers(peers: readonly Peer[]): void {
    this.#peers = peers;
    this.#bridge?.peers(peers);
  }

  stop(): void {
    this.#gather.stop();
    this.#ydoc?.destroy();
  }

  #typed(into: Y.Doc, update: Uint8Array): void {
    const ydoc = this.#ydoc;
    // An editor may still hold the former document for a moment: its last keys belong here too.
    if (ydoc && ydoc !== into && hasPredecessors(ydoc, update)) readInto(ydoc, update);
    this.#gather.add(update);
    this.#host.changed();
  }

  #hold(on: boolean): void {
    if ((this.#held !== null) === on) return;
    if (on) {
      this.#held = [];
      this.#gather.hold(true);
      return;
    }
    const waited = this.#held ?? [];
    this.#held = null;
    try {
      for (const effect of waited) readInto(this.#mustDoc(), effect);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#host.broken();
    }
    this.#gather.hold(false);
    this.#host.changed();
  }

  #mustDoc(): Y.Doc {
    if (!this.#ydoc) throw new Error('the first state comes before everything else');
    return this.#ydoc;
  }
}

function readInto(ydoc: Y.Doc, update: Uint8Array): void {
  try {
    Y.applyUpdate(ydoc, update, REMOTE);
  } catch (cause) {
    throw new Unreadable('a Yjs update that cannot be read', { cause });
  }
}
