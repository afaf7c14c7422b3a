/**
 * One room at this side: attached or not, in order, and whole.
 *
 * Frames of the room come in by `handle`. Start at `#enter`, which is what `Attached` means, and
 * `#replace`, which is the only place where content is thrown away. Not here: my own changes
 * (own.ts), content (doc/, order/), what the page sees of it all (view.ts).
 */
import { Comparing } from './comparing';
import { DocCore } from './doc/replica';
import { isId } from './ids';
import { InboxCore } from './inbox/replica';
import { OrderCore } from './order/replica';
import { Own, type OwnLink } from './own';
import { People } from './people';
import { PresenceOut } from './presence';
import { Pulling } from './pulling';
import { Unreadable, type Replica, type ReplicaHost } from './replica';
import { Sequence } from './sequence';
import type { Clock, ConnectionStatus, Fault, OrderOutcome, Person, Right, RoomPhase } from './types';
import type { Attached, Entry, RoomMessage, StateAt } from './wire';

/** A room that could not be opened is tried again after this, doubling. */
const REOPEN_MS = 5_000;
const REOPEN_MAX_MS = 60_000;
/** Content that breaks again so soon after it was fetched will not get better by fetching. */
const BROKEN_AGAIN_MS = 10_000;

/** What a room needs of the connection it is on. */
export interface SessionHost extends OwnLink {
  status(): ConnectionStatus;
  me(): Person | null;
  sessionId(): number;
  /** All ids whose queues this tab sees to, retired ones included. */
  clientIds(): readonly number[];
  reconnect(): void;
  /** The room's id is known. False: another session has that room, and takes over. */
  resolved(session: RoomSession, roomId: string): boolean;
  /** Something that the page may see changed. */
  changed(session: RoomSession): void;
}

export class RoomSession implements ReplicaHost {
  readonly asked: string;
  readonly clock: Clock;
  readonly people = new People();
  readonly own: Own;
  readonly #host: SessionHost;
  readonly #sequence = new Sequence();
  readonly #comparing: Comparing;
  readonly #pulling: Pulling;
  readonly #presence: PresenceOut;

  phase: RoomPhase = 'opening';
  fault: Fault | null = null;
  roomId: string | null = null;
  kind: string | null = null;
  title = '';
  right: Right = 'none';
  color = 0;
  repairs = 0;
  attachedAt: number | null = null;
  replica: DocCore | InboxCore | OrderCore | null = null;

  #loaded = false;
  #epoch = 0;
  #lineage = 0;
  /** The next state replaces the content, whatever the numbers say. */
  #rebuild = false;
  #comparedHead = -1;
  #brokenAt = -Infinity;
  #reopenMs = REOPEN_MS;
  #reopenTimer: unknown = null;
  /** Ids whose queue was looked into. */
  readonly #seenIds = new Set<number>();
  /** Frames that wait while the queue is read; null: none do. */
  #inbox: RoomMessage[] | null = null;
  /** Counts attachments, so that what was awaited for a former one is dropped. */
  #round = 0;

  constructor(asked: string, host: SessionHost) {
    this.asked = asked;
    this.clock = host.clock;
    this.#host = host;
    this.#comparing = new Comparing(host.clock, () => this.#compare());
    this.#pulling = new Pulling(host.clock, () => {
      if (this.roomId) host.send({ type: 'pull', room: this.roomId, afterSeq: this.head() });
    });
    this.#presence = new PresenceOut(host.clock, (data) => {
      if (this.roomId) host.send({ type: 'presence', room: this.roomId, data });
    });
    this.own = new Own(host, {
      replica: () => this.replica,
      roomId: () => this.roomId ?? '',
      lineage: () => this.#lineage,
      right: () => this.right,
      attachAnew: () => this.#attachAnew(),
      stirred: () => this.#comparing.stirred(),
      changed: () => this.changed(),
    });
  }

  head(): number {
    return this.#sequence.head();
  }

  /** The connection is welcomed, or the room is to be opened again. */
  attach(): void {
    this.#round += 1;
    this.#inbox = null;
    this.#clearReopen();
    const holds = this.#loaded && !this.#rebuild;
    const [sinceSeq, epoch, lineage] = holds ? [this.head(), this.#epoch, this.#lineage] : [0, 0, 0];
    this.#host.send({ type: 'attach', room: this.roomId ?? this.asked, sinceSeq, epoch, lineage });
  }

  /** The connection is gone. */
  lost(): void {
    this.#leave();
    this.changed();
  }

  retryNow(): void {
    if (this.attachedAt !== null) this.own.outbox.resendAll();
    else if (this.#host.status() === 'online' && this.#inbox === null) this.attach();
  }

  stop(): void {
    this.replica?.flush();
    this.own.stop();
    if (this.attachedAt !== null && this.roomId) this.#host.send({ type: 'detach', room: this.roomId });
    this.#leave();
    this.replica?.stop();
  }

  handle(message: RoomMessage): void {
    if (this.#inbox) {
      this.#inbox.push(message);
      return;
    }
    this.#take(message);
    this.changed();
  }

  trouble(fault: Fault): void {
    switch (fault.code) {
      case 'not_attached':
        if (this.attachedAt !== null) this.#attachAnew();
        return;
      case 'client_window':
        this.own.outbox.outOfWindow(Number(fault.params['from']) || 1, fault);
        return;
      case 'client_unknown':
        this.#host.reconnect();
        return;
      default:
        // Of a newer version, or about a frame that is not worth repeating.
        return;
    }
  }

  // ---- What the replica asks of its room ------------------------------------------------------

  submit(bytes: Uint8Array, since: number, done: ((outcome: OrderOutcome) => void) | null): void {
    if (this.#loaded && this.phase !== 'gone') this.own.submit(bytes, since, done);
    else done?.({ ok: false, fault: this.fault ?? { code: 'closed', params: {} } });
  }

  opBytesMax(): number {
    return this.#host.opBytesMax();
  }

  setPresence(data: unknown): void {
    this.#presence.set(data);
  }

  changed(): void {
    this.#host.changed(this);
  }

  /** The content cannot be brought further: have it anew. */
  broken(): void {
    const now = this.clock.now();
    this.repairs += 1;
    if (now < this.#brokenAt + BROKEN_AGAIN_MS) this.#failed({ code: 'unreadable', params: {} });
    else this.#attachAnew();
    this.#brokenAt = now;
  }

  // ---- Frames ---------------------------------------------------------------------------------

  #take(message: RoomMessage): void {
    switch (message.type) {
      case 'attached':
        if (this.roomId === null && !this.#host.resolved(this, message.room)) return;
        this.roomId = message.room;
        return this.#afterQueue(message.room, () => this.#enter(message));
      case 'detached':
        // Without a reason it answers our own Detach.
        if (message.why) this.#detached(message.why);
        return;
      case 'outcomes':
        return this.own.outbox.outcomes(message.clientId, message.outcomes);
      case 'events':
        return this.#events(message.entries);
      case 'resync':
        return this.#pulling.behind(message.head);
      case 'state':
        return this.#state(message.state, message.repair, message.epoch, message.lineage);
      case 'peers':
        this.people.change(message.here, message.left, this.#host.sessionId());
        this.replica?.peers(this.people.peers());
        return;
      case 'digest':
        // If it differs, `State{repair}` follows.
        return;
      case 'right':
        this.right = message.right;
        return this.own.rightIs(message.right);
      case 'storing':
        return this.own.outbox.storing(message.ok);
    }
  }

  /** Runs `then` once what earlier visits left here is known; frames that come meanwhile wait. */
  #afterQueue(room: string, then: () => void): void {
    const ids = this.#host.clientIds().filter((id) => !this.#seenIds.has(id));
    const first = this.#seenIds.size === 0;
    if (ids.length === 0) return then();
    const round = this.#round;
    this.#inbox = [];
    const { keeper } = this.#host;
    const found = Promise.all([keeper.ops(room, ids), first ? keeper.tray(room) : []]);
    void found.then(([stored, trayed]) => {
      for (const id of ids) this.#seenIds.add(id);
      this.own.tray.load(trayed);
      this.own.adopt(stored);
      if (round !== this.#round) return;
      const waiting = this.#inbox ?? [];
      this.#inbox = null;
      then();
      for (const message of waiting) this.handle(message);
      this.changed();
    });
  }

  #enter(message: Attached): void {
    const { epoch, lineage, state, kind } = message;
    this.kind = kind;
    this.replica ??= this.#newReplica(kind);
    if (!this.replica) return this.#failed({ code: 'unreadable', params: { kind } });
    const other = this.#loaded && (epoch !== this.#epoch || lineage !== this.#lineage);
    if (other && !state) {
      this.#rebuild = true;
      return this.attach();
    }
    this.title = message.title;
    this.color = message.color;
    this.right = message.right;
    this.people.reset(message.peers, this.#host.sessionId());
    const readable = this.#reading(() => {
      if (!this.#loaded || this.#rebuild || other) {
        this.#replace(state ?? { seq: 0, bytes: new Uint8Array() }, epoch, lineage);
      } else {
        if (state && state.seq >= this.head()) this.#advance(state);
        this.own.setAside();
        this.own.show();
      }
      this.#apply(message.entries);
    });
    if (!readable) return this.#failed({ code: 'unreadable', params: {} });
    // What was set aside is in the content.
    if (this.#rebuild) return this.attach();
    this.#ready(message.head);
  }

  #ready(head: number): void {
    this.phase = 'ready';
    this.fault = null;
    this.#reopenMs = REOPEN_MS;
    this.attachedAt = this.clock.now();
    this.#comparedHead = -1;
    this.replica?.peers(this.people.peers());
    this.own.rightIs(this.right);
    this.own.outbox.attached(this.#host.ownClientId());
    this.#presence.start();
    this.#comparing.start();
    if (head > this.head()) this.#pulling.behind(head);
  }

  #newReplica(kind: string): DocCore | InboxCore | OrderCore | null {
    switch (kind) {
      case 'doc':
        return new DocCore(this);
      case 'inbox':
        return new InboxCore(this);
      case 'order':
        return new OrderCore(this, () => this.#host.me()?.id ?? null);
      default:
        return null;
    }
  }

  /** R2: entries in order; what lacks is waited for, then pulled. */
  #events(entries: readonly Entry[]): void {
    for (const { clientId, clientSeq, seq } of entries) {
      if (clientId !== 0) this.own.outbox.seen(clientId, clientSeq, seq);
    }
    if (!this.#loaded) return;
    const before = this.head();
    if (!this.#reading(() => this.#apply(entries))) return this.broken();
    this.#pulling.arrived(this.head(), this.#sequence.hasGap(), this.head() > before);
  }

  #state(state: StateAt, repair: boolean, epoch: number, lineage: number): void {
    if (!this.#loaded) return;
    const other = epoch !== this.#epoch || lineage !== this.#lineage;
    if (!repair && !other && state.seq < this.head()) return;
    const readable = this.#reading(() => {
      if (repair || other) this.#replace(state, epoch, lineage);
      else this.#advance(state);
      this.#apply([]);
    });
    if (!readable) return this.#failed({ code: 'unreadable', params: {} });
    if (repair) this.repairs += 1;
    if (other) this.own.outbox.resendAll();
    this.#comparing.stirred();
    this.#pulling.arrived(this.head(), this.#sequence.hasGap(), true);
  }

  #apply(entries: readonly Entry[]): void {
    const ready = this.#sequence.take(entries);
    for (const { body } of ready) if (body.type === 'effect') this.#mustReplica().apply(body.bytes);
    this.#mustReplica().reached(this.head());
    if (ready.length > 0) this.#comparing.stirred();
  }

  /** The content is `state` and nothing else; own operations without outcome go on top. */
  #replace(state: StateAt, epoch: number, lineage: number): void {
    const replica = this.#mustReplica();
    replica.load(state.bytes);
    this.#loaded = true;
    this.#rebuild = false;
    this.#epoch = epoch;
    this.#lineage = lineage;
    this.#sequence.clear();
    this.#sequence.reset(state.seq);
    this.#comparedHead = -1;
    this.own.setAside();
    this.own.show();
    replica.reached(state.seq);
  }

  /** A later state of the same content. */
  #advance(state: StateAt): void {
    this.#mustReplica().advance(state.bytes);
    this.#sequence.reset(state.seq);
  }

  /** R8, once per head. */
  #compare(): void {
    const head = this.head();
    if (this.attachedAt === null || !this.roomId || !this.replica || head === this.#comparedHead) return;
    if (this.own.pending() > 0 || this.#sequence.hasGap() || this.#pulling.waits()) return;
    const digest = this.replica.digest();
    if (!digest) return;
    this.#comparedHead = head;
    this.#host.send({ type: 'digest', room: this.roomId, seq: head, digest });
  }

  // ---- Coming apart ---------------------------------------------------------------------------

  #detached(why: Fault): void {
    switch (why.code) {
      case 'signed_out':
        return this.#leave();
      case 'not_found':
      case 'no_access':
      case 'trashed':
        return this.#gone(why);
      default:
        return this.#failed(why);
    }
  }

  /** R10. What is unsaved goes to the tray, also what earlier visits left. */
  #gone(why: Fault): void {
    this.#leave();
    this.replica?.flush();
    this.phase = 'gone';
    this.right = 'none';
    this.fault = why;
    this.#rebuild = true;
    const room = this.roomId ?? (isId(this.asked) ? this.asked : null);
    if (room) this.#afterQueue(room, () => this.own.dropAll(why));
  }

  /** Cannot be opened now; tried again by itself. */
  #failed(fault: Fault): void {
    this.#leave();
    this.phase = 'failed';
    this.fault = fault;
    this.#rebuild = true;
    this.#reopenTimer = this.clock.setTimeout(() => this.retryNow(), this.#reopenMs);
    this.#reopenMs = Math.min(REOPEN_MAX_MS, 2 * this.#reopenMs);
  }

  /** Has the content from the server, from nothing. */
  #attachAnew(): void {
    const running = this.#rebuild;
    this.#rebuild = true;
    if (running || this.attachedAt === null || !this.roomId) return;
    this.#host.send({ type: 'detach', room: this.roomId });
    this.#leave();
    this.attach();
  }

  #leave(): void {
    this.#round += 1;
    this.#inbox = null;
    this.attachedAt = null;
    this.own.outbox.detached();
    this.#pulling.stop();
    this.#comparing.stop();
    this.#presence.stop();
    this.#clearReopen();
  }

  #clearReopen(): void {
    if (this.#reopenTimer !== null) this.clock.clearTimeout(this.#reopenTimer);
    this.#reopenTimer = null;
  }

  #reading(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      console.warn('weft:', error.message);
      return false;
    }
  }

  #mustReplica(): Replica {
    if (!this.replica) throw new Error('content comes with the first Attached');
    return this.replica;
  }
}
