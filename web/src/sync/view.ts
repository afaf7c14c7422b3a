/** What the page sees of one room: an immutable snapshot, the same object until something changed. */
import { faces } from './people';
import { SaveTracker } from './save';
import type { RoomSession } from './session';
import type { ConnectionStatus, Face, Peer, Person, RoomState } from './types';

export interface ViewFacts {
  readonly status: ConnectionStatus;
  readonly freshUntil: number;
  readonly canKeep: boolean;
  readonly me: Person | null;
}

export class RoomView {
  readonly #save = new SaveTracker();
  #state: RoomState | null = null;
  #faces: { of: readonly [readonly Peer[], Person | null, number]; are: readonly Face[] } | null = null;
  /** Clock time at which to look again without a new fact, or null. */
  again: number | null = null;

  constructor(session: RoomSession, facts: ViewFacts) {
    this.look(session, facts);
  }

  state(): RoomState {
    if (!this.#state) throw new Error('looked at when made');
    return this.#state;
  }

  /** Whether the snapshot is another one now. */
  look(session: RoomSession, facts: ViewFacts): boolean {
    const next = this.#snapshot(session, facts);
    if (this.#state && same(this.#state, next)) return false;
    this.#state = Object.freeze(next);
    return true;
  }

  #snapshot(session: RoomSession, facts: ViewFacts): RoomState {
    const { phase, fault, roomId, kind, title, right, color, repairs, own, people, attachedAt } = session;
    const pending = own.pending();
    const tray = own.tray.items();
    const { save, again } = this.#save.look(
      {
        status: facts.status,
        ready: phase === 'ready',
        attached: attachedAt !== null,
        attachedAt: attachedAt ?? 0,
        freshUntil: facts.freshUntil,
        pending,
        oldestAt: own.oldestAt(),
        acknowledgedAt: own.acknowledgedAt(),
        storeFailed: own.outbox.storeFailed(),
        spaceFull: own.outbox.spaceFull(),
        trayed: tray.length,
        canKeep: facts.canKeep,
      },
      session.clock.now(),
    );
    this.again = again;
    return {
      phase,
      fault,
      roomId,
      kind,
      title,
      right,
      head: session.head(),
      save,
      pending,
      peers: people.peers(),
      faces: this.#facesOf(people.peers(), facts.me, color),
      color,
      tray,
      canKeep: facts.canKeep,
      generation: session.replica?.generation() ?? 0,
      repairs,
    };
  }

  #facesOf(peers: readonly Peer[], me: Person | null, color: number): readonly Face[] {
    const of = [peers, me, color] as const;
    if (!this.#faces || of.some((part, i) => part !== this.#faces?.of[i])) {
      this.#faces = { of, are: faces(peers, me, color) };
    }
    return this.#faces.are;
  }
}

function same(a: RoomState, b: RoomState): boolean {
  return (Object.keys(a) as (keyof RoomState)[]).every((key) => Object.is(a[key], b[key]));
}
