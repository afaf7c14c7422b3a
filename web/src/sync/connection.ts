/**
 * One connection for many rooms: who I am, which client ids are mine, and which frame is whose.
 *
 * New operations are made only under an id issued to this very connection, so the first Hello
 * names none; ids that closed tabs left are named by a second one, for sending again what they
 * left. Not here: keeping the socket open (link.ts), rooms (session.ts).
 */
import { RoomHandle, type Shared } from './handle';
import { Keeper } from './keeper';
import { Link } from './link';
import { within } from './patience';
import { RoomSession, type SessionHost } from './session';
import type { Connection, ConnectionOptions, ConnectionStatus, Person, Room } from './types';
import { RoomView, type ViewFacts } from './view';
import type { RoomMessage, ServerMessage, Welcome } from './wire';

/** A room that nobody has open is kept this long, in case it is opened again. */
const LINGER_MS = 1_000;
/** Claiming ids (locks, storage) that takes longer waits for the next connection. */
const CLAIM_WAIT_MS = 3_000;
/** Reconnecting because of an id that the server does not know is not repeated within this. */
const RECONNECT_APART_MS = 30_000;

export function createConnection(options: ConnectionOptions): Connection {
  return new Hub(options);
}

class Hub implements Connection {
  readonly #options: ConnectionOptions;
  readonly #link: Link;
  readonly #keeper: Keeper;
  readonly #listeners = new Set<() => void>();
  /** By what they were asked as, and by id once that is known. */
  readonly #rooms = new Map<string, Shared>();
  readonly #host: SessionHost;
  #welcome: Welcome | null = null;
  #person: Person | null = null;
  /** Issued to this connection, newest first; the first is for new operations. */
  #issued: number[] = [];
  #adopted: readonly number[] = [];
  readonly #retired = new Set<number>();
  /** What the present Hello named. */
  #named: readonly number[] = [];
  /** The next Hello asks for a new id. */
  #wantsId = true;
  readonly #numbers = new Map<string, number>();
  #tokens = 0;
  #reconnectedAt = -Infinity;
  #stopped = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { clock, random, openSocket, queue } = options;
    this.#keeper = new Keeper(queue, clock, () => this.#lookAtAll());
    this.#link = new Link({
      clock,
      random,
      openSocket,
      onOpen: () => void this.#hello(),
      onMessage: (message) => this.#take(message),
      onLost: () => this.#lost(),
      onStatus: () => {
        this.#notify();
        this.#lookAtAll();
      },
    });
    this.#host = this.#makeHost();
    this.#link.start();
  }

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  status(): ConnectionStatus {
    return this.#link.status();
  }

  person(): Person | null {
    return this.#person;
  }

  open(room: string): Room {
    if (!this.#rooms.has(room)) this.#begin(room, false);
    // Looked up again: a key may turn out at once to name a room that is open already.
    const shared = this.#rooms.get(room);
    if (!shared) throw new Error('a room that is opened stays while it is opened');
    const handle = new RoomHandle(shared, () => this.#link.retryNow(), (left) => this.#closed(left));
    this.#lingers(shared);
    return handle;
  }

  retryNow(): void {
    this.#link.retryNow();
    for (const { session } of this.#all()) session.retryNow();
  }

  online(): void {
    this.#link.online();
  }

  flush(): void {
    for (const { session } of this.#all()) session.replica?.flush();
  }

  pending(): number {
    return [...this.#all()].reduce((sum, { session }) => sum + session.own.pending(), 0);
  }

  wouldLose(): boolean {
    return [...this.#all()].some(({ session }) => session.own.outbox.wouldLose());
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.flush();
    this.#stopped = true;
    for (const shared of this.#all()) this.#end(shared);
    this.#link.stop();
    this.#listeners.clear();
    // What was just flushed is on its way into the queue.
    await this.#keeper.settled();
  }

  // ---- Hello and Welcome ----------------------------------------------------------------------

  async #hello(): Promise<void> {
    const serial = this.#link.serial();
    if (!this.#wantsId) await this.#claim();
    if (serial !== this.#link.serial()) return;
    this.#named = this.#wantsId ? [] : [...this.#issued, ...this.#adopted];
    this.#link.send({ type: 'hello', clientIds: this.#named });
  }

  async #welcomed(welcome: Welcome): Promise<void> {
    const { personId, onClientIdIssued } = this.#options;
    const serial = this.#link.serial();
    if (personId !== undefined && personId !== welcome.personId) return this.#link.signedOut();
    for (const id of welcome.retiredIds) this.#retired.add(id);
    const usable = new Set([welcome.clientId, ...welcome.clientIds]);
    for (const id of this.#issued) if (this.#named.includes(id) && !usable.has(id)) this.#retired.add(id);
    this.#issued = this.#issued.filter((id) => !this.#retired.has(id));
    // More than a server takes at once: those wait for a later connection.
    this.#adopted = this.#adopted.filter((id) => usable.has(id));
    if (this.#named.length === 0) {
      this.#wantsId = false;
      this.#issued.unshift(welcome.clientId);
      await within(this.#options.clock, CLAIM_WAIT_MS, Promise.resolve(onClientIdIssued(welcome.clientId)));
      await this.#claim();
      if (serial !== this.#link.serial()) return;
      if (this.#issued.length + this.#adopted.length > 1) return this.#link.reconnect();
    } else if (this.#issued.length === 0) {
      // The id for new operations is retired, and what is left is of closed tabs.
      this.#wantsId = true;
      return this.#link.reconnect();
    }
    this.#enter(welcome);
  }

  async #claim(): Promise<void> {
    const claimed = await within(this.#options.clock, CLAIM_WAIT_MS, this.#options.claimClientIds());
    if (!claimed) return;
    this.#adopted = claimed.is.filter((id) => !this.#issued.includes(id) && !this.#retired.has(id));
  }

  #enter(welcome: Welcome): void {
    const { personId: id, name } = welcome;
    this.#welcome = welcome;
    if (this.#person?.id !== id || this.#person.name !== name) this.#person = { id, name };
    this.#link.welcomed(welcome.heartbeatMs);
    for (const { session } of this.#all()) session.attach();
    void this.#openLeft();
  }

  /** Rooms that nobody has open, but for which an earlier visit left something to send. */
  async #openLeft(): Promise<void> {
    for (const room of await this.#keeper.rooms(this.#clientIds())) {
      if (!this.#stopped && !this.#rooms.has(room)) this.#begin(room, true);
    }
  }

  #clientIds(): number[] {
    return [...this.#issued, ...this.#adopted, ...this.#retired];
  }

  #needClientId(): void {
    this.#wantsId = true;
    this.#link.reconnect();
  }

  #reconnect(): void {
    const now = this.#options.clock.now();
    if (now < this.#reconnectedAt + RECONNECT_APART_MS) return;
    this.#reconnectedAt = now;
    this.#link.reconnect();
  }

  #lost(): void {
    for (const { session } of this.#all()) session.lost();
  }

  // ---- Frames ---------------------------------------------------------------------------------

  #take(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        void this.#welcomed(message);
        return;
      case 'trouble':
        if (message.room) this.#rooms.get(message.room)?.session.trouble(message.fault);
        else if (message.fault.code === 'client_unknown') this.#reconnect();
        return;
      case 'pong':
        // Heard from again: what stood as unsure may be said.
        this.#lookAtAll();
        return;
      case 'goodbye':
      case 'unknown':
        return;
      case 'attached':
      case 'detached':
        // By key, the answer may be for another session than the one that has the room.
        return this.#route(message, this.#rooms.get(message.asked) ?? this.#rooms.get(message.room ?? ''));
      case 'outcomes':
      case 'events':
      case 'resync':
      case 'state':
      case 'peers':
      case 'digest':
      case 'right':
      case 'storing':
        return this.#route(message, this.#rooms.get(message.room));
    }
  }

  #route(message: RoomMessage, shared: Shared | undefined): void {
    shared?.session.handle(message);
  }

  // ---- Rooms ----------------------------------------------------------------------------------

  #all(): Set<Shared> {
    return new Set(this.#rooms.values());
  }

  #begin(asked: string, forLeft: boolean): void {
    const session = new RoomSession(asked, this.#host);
    const view = new RoomView(session, this.#facts());
    const shared = { session, view, handles: new Set<RoomHandle>(), timers: noTimers(), forLeft };
    this.#rooms.set(asked, shared);
    if (this.#link.isUp()) session.attach();
  }

  #resolved(session: RoomSession, roomId: string): boolean {
    const mine = this.#rooms.get(session.asked);
    const other = this.#rooms.get(roomId);
    if (!mine || mine.session !== session) return false;
    if (!other || other === mine) {
      this.#rooms.set(roomId, mine);
      return true;
    }
    this.#end(mine);
    this.#rooms.set(session.asked, other);
    for (const handle of [...mine.handles]) handle.moveTo(other);
    return false;
  }

  #closed(shared: Shared): void {
    shared.session.replica?.flush();
    this.#look(shared);
  }

  /** Not before everything of it has its outcome. */
  #lingers(shared: Shared): void {
    const { clock } = this.#options;
    const { session, handles, timers } = shared;
    // Opened for what an earlier visit left: not before that is known.
    const unread = shared.forLeft && (session.phase === 'opening' || session.phase === 'failed');
    if (handles.size > 0 || session.own.pending() > 0 || unread) {
      clock.clearTimeout(timers.linger);
      timers.linger = null;
    } else timers.linger ??= clock.setTimeout(() => this.#end(shared), LINGER_MS);
  }

  #end(shared: Shared): void {
    const { clock } = this.#options;
    clock.clearTimeout(shared.timers.look);
    clock.clearTimeout(shared.timers.linger);
    shared.session.stop();
    for (const [name, room] of this.#rooms) if (room === shared) this.#rooms.delete(name);
  }

  #look(shared: Shared): void {
    const { clock } = this.#options;
    const { session, view, handles, timers } = shared;
    const news = view.look(session, this.#facts());
    clock.clearTimeout(timers.look);
    const wait = view.again === null ? null : Math.max(1, view.again - clock.now());
    timers.look = wait === null ? null : clock.setTimeout(() => this.#look(shared), wait);
    this.#lingers(shared);
    if (news) for (const handle of [...handles]) handle.notify();
  }

  #lookAtAll(): void {
    for (const shared of this.#all()) this.#look(shared);
  }

  #facts(): ViewFacts {
    return {
      status: this.#link.status(),
      freshUntil: this.#link.freshUntil(),
      canKeep: this.#keeper.canKeep(),
      me: this.#person,
    };
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #makeHost(): SessionHost {
    return {
      clock: this.#options.clock,
      keeper: this.#keeper,
      send: (...messages) => this.#link.send(...messages),
      status: () => this.#link.status(),
      me: () => this.#person,
      sessionId: () => this.#welcome?.sessionId ?? 0,
      ownClientId: () => this.#issued[0] ?? 0,
      clientIds: () => this.#clientIds(),
      isRetired: (id) => this.#retired.has(id),
      opBytesMax: () => this.#welcome?.opBytesMax ?? 0,
      window: () => this.#welcome?.window ?? 1,
      nextNumber: (room, clientId) => {
        const next = (this.#numbers.get(`${room}/${clientId}`) ?? 0) + 1;
        this.#numbers.set(`${room}/${clientId}`, next);
        return next;
      },
      giveBack: (room, clientId, number) => {
        if (this.#numbers.get(`${room}/${clientId}`) === number) this.#numbers.set(`${room}/${clientId}`, number - 1);
      },
      nextToken: () => (this.#tokens += 1),
      needClientId: () => this.#needClientId(),
      reconnect: () => this.#reconnect(),
      resolved: (session, roomId) => this.#resolved(session, roomId),
      changed: (session) => {
        const shared = this.#rooms.get(session.asked);
        if (shared?.session === session) this.#look(shared);
      },
    };
  }
}

const noTimers = (): Shared['timers'] => ({ look: null, linger: null });
