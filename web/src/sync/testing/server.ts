/**
 * A server of `weft.v1` for tests: keeps the rules that a client relies on, in memory, and does
 * wrong what a test asks it to do wrong. Written on the generated types, not on wire.ts.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import * as pb from '../../generated/weft_pb';
import { joinFrames, splitFrames } from '../frames';
import { idFromText } from '../ids';
import type { SocketLike } from '../types';
import { ME } from './me';
import type { FakeRoom } from './room';

export const HEARTBEAT_MS = 15_000;

type FrameBody = NonNullable<MessageInitShape<typeof pb.ServerFrameSchema>['body']>;
type Received = pb.ClientFrame['body'];
type ReceivedOf<C extends Received['case']> = Extract<Received, { case: C }>['value'];

/** The client's end of one socket, and the server's knowledge of who is there. */
export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((data: Uint8Array) => void) | null = null;
  onclose: ((code: number) => void) | null = null;
  closed = false;
  readonly attached = new Set<FakeRoom>();
  readonly sessionId: number;
  readonly #server: FakeServer;

  constructor(server: FakeServer, sessionId: number) {
    this.#server = server;
    this.sessionId = sessionId;
  }

  send(data: Uint8Array): void {
    if (this.closed) return;
    for (const frame of splitFrames(data)) this.#server.take(this, fromBinary(pb.ClientFrameSchema, frame).body);
  }

  close(): void {
    this.closed = true;
    this.attached.clear();
  }

  reply(body: FrameBody): void {
    this.bytes(joinFrames([toBinary(pb.ServerFrameSchema, create(pb.ServerFrameSchema, { body }))]));
  }

  /** Arrives after what runs now, as on a real socket. */
  bytes(data: Uint8Array): void {
    setImmediate(() => {
      if (!this.closed) this.onmessage?.(data);
    });
  }
}

export class FakeServer {
  readonly rooms = new Map<string, FakeRoom>();
  readonly sockets: FakeSocket[] = [];
  readonly received: Received[] = [];
  readonly retired = new Set<number>();
  /** Sockets open but nothing is answered; or they do not even open. */
  mode: 'up' | 'mute' | 'down' = 'up';
  /** Answers with ids in order of number, not in that of Hello. */
  sortsIds = false;
  personId = ME;
  window = 64;
  opBytesMax = 1_000_000;
  #clientIds = 100;
  #sessions = 0;

  addRoom(room: FakeRoom): FakeRoom {
    this.rooms.set(room.id, room);
    return room;
  }

  openSocket = (): FakeSocket => {
    const socket = new FakeSocket(this, (this.#sessions += 1));
    this.sockets.push(socket);
    setImmediate(() => {
      if (socket.closed) return;
      if (this.mode === 'down') {
        socket.closed = true;
        socket.onclose?.(1006);
      } else socket.onopen?.();
    });
    return socket;
  };

  /** The socket that the client uses now. */
  socket(): FakeSocket {
    const socket = this.sockets.filter(({ closed }) => !closed).at(-1);
    if (!socket) throw new Error('the client has no socket');
    return socket;
  }

  /** The connection is cut. */
  cut(code = 1006): void {
    const socket = this.socket();
    socket.close();
    socket.onclose?.(code);
  }

  all<C extends Received['case']>(kind: C): ReceivedOf<C>[] {
    return this.received.filter((body) => body.case === kind).map((body) => body.value as ReceivedOf<C>);
  }

  /** Numbers of the submits received since `from`, with their client ids. */
  submits(from = 0): string[] {
    return this.all('submit').slice(from).map(({ clientId, clientSeq }) => `${clientId}:${clientSeq}`);
  }

  take(socket: FakeSocket, body: Received): void {
    this.received.push(body);
    if (this.mode === 'mute') return;
    switch (body.case) {
      case 'hello':
        return this.#hello(socket, body.value);
      case 'attach':
        return this.#attach(socket, body.value);
      case 'ping':
        return socket.reply({ case: 'pong', value: { nonce: body.value.nonce } });
      case 'presence':
      case undefined:
        return;
      case 'detach':
      case 'submit':
      case 'pull':
      case 'digest': {
        const room = [...socket.attached].find((r) => r.bytes.every((byte, i) => byte === body.value.room[i]));
        if (!room) return socket.reply({ case: 'trouble', value: { room: body.value.room, fault: { code: 'not_attached' } } });
        if (body.case === 'detach') socket.attached.delete(room);
        else room.take(socket, body);
      }
    }
  }

  #hello(socket: FakeSocket, hello: pb.Hello): void {
    const valid = hello.clientIds.filter((id) => !this.retired.has(Number(id)));
    if (this.sortsIds) valid.sort((a, b) => Number(a - b));
    const clientId = valid[0] ?? BigInt((this.#clientIds += 1));
    socket.reply({
      case: 'welcome',
      value: {
        sessionId: BigInt(socket.sessionId),
        clientId,
        clientIds: valid,
        retiredIds: hello.clientIds.filter((id) => this.retired.has(Number(id))),
        personId: idFromText(this.personId),
        name: 'Lin Yue',
        heartbeatMs: HEARTBEAT_MS,
        opBytesMax: this.opBytesMax,
        window: this.window,
      },
    });
  }

  #attach(socket: FakeSocket, attach: pb.Attach): void {
    const room = this.rooms.get(attach.room) ?? [...this.rooms.values()].find(({ key }) => key === attach.room);
    if (!room || room.fault) {
      const code = room?.fault ?? 'not_found';
      return socket.reply({ case: 'detached', value: { asked: attach.room, why: { code } } });
    }
    socket.attached.add(room);
    socket.reply({ case: 'attached', value: { ...room.attached(attach), asked: attach.room } });
  }
}
