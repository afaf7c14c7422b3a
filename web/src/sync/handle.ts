/** One opening of a room: what `Connection.open` gives, over a session that may be shared. */
import { DocCore } from './doc/replica';
import { InboxCore } from './inbox/replica';
import { OrderCore } from './order/replica';
import type { RoomSession } from './session';
import type { DocReplica, InboxReplica, OrderReplica, Room, RoomState } from './types';
import type { RoomView } from './view';

/** A session with its view and everyone who has it open. */
export interface Shared {
  readonly session: RoomSession;
  readonly view: RoomView;
  readonly handles: Set<RoomHandle>;
  readonly timers: { look: unknown; linger: unknown };
  /** Opened by the connection itself, to send what an earlier visit left. */
  readonly forLeft: boolean;
}

export class RoomHandle implements Room {
  #shared: Shared;
  readonly #listeners = new Set<() => void>();
  readonly #closed: (shared: Shared) => void;
  readonly #retry: () => void;

  constructor(shared: Shared, retry: () => void, closed: (shared: Shared) => void) {
    this.#shared = shared;
    this.#retry = retry;
    this.#closed = closed;
    shared.handles.add(this);
  }

  /** The key turned out to name a room that is open already. */
  moveTo(shared: Shared): void {
    this.#shared.handles.delete(this);
    this.#shared = shared;
    shared.handles.add(this);
    this.notify();
  }

  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  state(): RoomState {
    return this.#shared.view.state();
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  doc(): DocReplica | null {
    const { replica } = this.#shared.session;
    return replica instanceof DocCore ? replica.view() : null;
  }

  order(): OrderReplica | null {
    const { replica } = this.#shared.session;
    return replica instanceof OrderCore && replica.generation() > 0 ? replica : null;
  }

  inbox(): InboxReplica | null {
    const { replica } = this.#shared.session;
    return replica instanceof InboxCore && replica.generation() > 0 ? replica : null;
  }

  setPresence(data: unknown): void {
    this.#shared.session.setPresence(data);
  }

  retryNow(): void {
    this.#retry();
    this.#shared.session.retryNow();
  }

  retryTrayItem(id: string): void {
    this.#shared.session.own.retry(id);
  }

  discardTrayItem(id: string): void {
    this.#shared.session.own.tray.discard(id);
    this.#shared.session.changed();
  }

  close(): void {
    this.#listeners.clear();
    if (this.#shared.handles.delete(this)) this.#closed(this.#shared);
  }
}
