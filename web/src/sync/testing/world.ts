/** A client, a server, and time between them. */
import * as Y from 'yjs';
import { createConnection } from '../connection';
import { MemoryQueue, type QueueStore } from '../queue';
import type { Connection, DocReplica, OrderReplica, Room } from '../types';
import { FakeClock, settle } from './clock';
import { FakeRoom } from './room';
import { FakeServer } from './server';

export const ROOM = '00000000000000000000000r00';

export interface WorldOptions {
  queue?: QueueStore;
  clock?: FakeClock;
  server?: FakeServer;
  kind?: 'doc' | 'order';
  claims?: number[];
  personId?: string;
}

export class World {
  readonly clock: FakeClock;
  readonly server: FakeServer;
  readonly queue: QueueStore;
  readonly there: FakeRoom;
  readonly issued: number[] = [];
  claims: number[];
  readonly connection: Connection;
  room: Room;

  constructor(options: WorldOptions = {}) {
    this.clock = options.clock ?? new FakeClock();
    this.server = options.server ?? new FakeServer();
    this.queue = options.queue ?? new MemoryQueue();
    this.claims = options.claims ?? [];
    this.there = this.server.rooms.get(ROOM) ?? this.server.addRoom(new FakeRoom(ROOM, options.kind));
    this.connection = createConnection({
      openSocket: this.server.openSocket,
      clock: this.clock,
      random: () => 0.5,
      queue: this.queue,
      claimClientIds: async () => this.claims,
      onClientIdIssued: (id) => void this.issued.push(id),
      ...(options.personId === undefined ? {} : { personId: options.personId }),
    });
    this.room = this.connection.open(ROOM);
  }

  /** Connected, and the room is ready. */
  static async ready(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await settle();
    return world;
  }

  doc(): DocReplica {
    const doc = this.room.doc();
    if (!doc) throw new Error('no document yet');
    return doc;
  }

  order(): OrderReplica {
    const order = this.room.order();
    if (!order) throw new Error('no order yet');
    return order;
  }

  /** Types at the end, without waiting for anything. */
  type(text: string): void {
    const into = this.doc().ydoc.getText('t');
    into.insert(into.length, text);
  }

  /** Types, and lets it become one operation. */
  async typed(text: string): Promise<void> {
    this.type(text);
    this.doc().flush();
    await settle();
  }

  text(): string {
    return this.doc().ydoc.getText('t').toString();
  }

  textThere(): string {
    return this.there.ydoc.getText('t').toString();
  }

  /** What somebody else writes at the start, as an update on the server's document. */
  others(text: string): Uint8Array {
    const ydoc = new Y.Doc();
    Y.applyUpdate(ydoc, Y.encodeStateAsUpdate(this.there.ydoc));
    const before = Y.encodeStateVector(ydoc);
    ydoc.getText('t').insert(0, text);
    return Y.encodeStateAsUpdate(ydoc, before);
  }

  /** Somebody else's text, committed and sent. */
  async othersWrite(text: string): Promise<number> {
    const seq = this.there.commit(this.others(text), this.server.socket());
    await settle();
    return seq;
  }
}
