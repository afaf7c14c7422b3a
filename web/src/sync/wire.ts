/**
 * Messages of `weft.v1` as plain tagged unions, and their way to and from bytes.
 *
 * Outside this file nobody sees generated classes: ids of rooms and people are text, numbers
 * are `number` (all below 2^53, or the frame is bad), absence is null. Start at
 * [`decodeMessage`] and [`encodeMessage`].
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as pb from '../generated/weft_pb';
import { BadFrame, joinFrames, splitFrames } from './frames';
import { idFromText, idToText } from './ids';
import type { Fault, Peer, Right } from './types';

export type EntryBody =
  | { readonly type: 'created'; readonly kind: string; readonly epoch: number; readonly lineage: number }
  | { readonly type: 'effect'; readonly bytes: Uint8Array }
  /** Of a newer version: counts, changes nothing. */
  | { readonly type: 'unknown' };

export interface Entry {
  readonly seq: number;
  /** 0: made by the server. */
  readonly clientId: number;
  readonly clientSeq: number;
  readonly personId: string | null;
  readonly atMs: number;
  readonly body: EntryBody;
}

export type Verdict =
  | { readonly type: 'accepted'; readonly seq: number }
  | { readonly type: 'refused'; readonly fault: Fault }
  | { readonly type: 'not_saved'; readonly fault: Fault }
  | { readonly type: 'missing'; readonly from: number };

export interface Outcome {
  readonly clientSeq: number;
  readonly is: Verdict;
}

export interface StateAt {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

export interface Welcome {
  readonly type: 'welcome';
  readonly sessionId: number;
  readonly clientId: number;
  readonly clientIds: readonly number[];
  readonly retiredIds: readonly number[];
  readonly personId: string;
  readonly name: string;
  readonly serverTimeMs: number;
  readonly heartbeatMs: number;
  readonly opBytesMax: number;
  readonly window: number;
}

export interface Attached {
  readonly type: 'attached';
  readonly room: string;
  readonly asked: string;
  readonly kind: string;
  readonly epoch: number;
  readonly lineage: number;
  readonly head: number;
  readonly right: Right;
  /** null: `entries` follow what was held. */
  readonly state: StateAt | null;
  readonly entries: readonly Entry[];
  readonly peers: readonly Peer[];
  readonly color: number;
  readonly title: string;
}

/** What concerns one attached room. */
export type RoomMessage =
  | Attached
  | { readonly type: 'detached'; readonly room: string | null; readonly asked: string; readonly why: Fault | null }
  | { readonly type: 'outcomes'; readonly room: string; readonly clientId: number; readonly outcomes: readonly Outcome[] }
  | { readonly type: 'events'; readonly room: string; readonly entries: readonly Entry[] }
  | { readonly type: 'resync'; readonly room: string; readonly head: number }
  | {
      readonly type: 'state';
      readonly room: string;
      readonly state: StateAt;
      readonly repair: boolean;
      readonly epoch: number;
      readonly lineage: number;
    }
  | { readonly type: 'peers'; readonly room: string; readonly here: readonly Peer[]; readonly left: readonly number[] }
  | { readonly type: 'digest'; readonly room: string; readonly seq: number; readonly equal: boolean }
  | { readonly type: 'right'; readonly room: string; readonly right: Right }
  | { readonly type: 'storing'; readonly room: string; readonly ok: boolean };

export type ServerMessage =
  | Welcome
  | RoomMessage
  | { readonly type: 'goodbye'; readonly retryAfterMs: number; readonly why: Fault | null }
  | { readonly type: 'trouble'; readonly room: string | null; readonly fault: Fault }
  | { readonly type: 'pong'; readonly nonce: number }
  /** Of a newer version; ignored. */
  | { readonly type: 'unknown' };

export type ClientMessage =
  | { readonly type: 'hello'; readonly clientIds: readonly number[] }
  | { readonly type: 'attach'; readonly room: string; readonly sinceSeq: number; readonly epoch: number; readonly lineage: number }
  | { readonly type: 'detach'; readonly room: string }
  | { readonly type: 'submit'; readonly room: string; readonly clientId: number; readonly clientSeq: number; readonly op: Uint8Array }
  | { readonly type: 'pull'; readonly room: string; readonly afterSeq: number }
  | { readonly type: 'presence'; readonly room: string; readonly data: Uint8Array }
  | { readonly type: 'digest'; readonly room: string; readonly seq: number; readonly digest: Uint8Array }
  | { readonly type: 'ping'; readonly nonce: number };

export const PROTOCOL_VERSION = 1;

export function encodeMessage(messages: readonly ClientMessage[]): Uint8Array {
  return joinFrames(
    messages.map((message) => toBinary(pb.ClientFrameSchema, create(pb.ClientFrameSchema, { body: clientBody(message) }))),
  );
}

function clientBody(message: ClientMessage): pb.ClientFrame['body'] {
  switch (message.type) {
    case 'hello': {
      const clientIds = message.clientIds.map(BigInt);
      return { case: 'hello', value: create(pb.HelloSchema, { version: PROTOCOL_VERSION, clientIds }) };
    }
    case 'attach': {
      const { room, sinceSeq, epoch, lineage } = message;
      const numbers = { sinceSeq: BigInt(sinceSeq), epoch: BigInt(epoch), lineage: BigInt(lineage) };
      return { case: 'attach', value: create(pb.AttachSchema, { room, ...numbers }) };
    }
    case 'detach':
      return { case: 'detach', value: create(pb.DetachSchema, { room: idFromText(message.room) }) };
    case 'submit': {
      const numbers = { clientId: BigInt(message.clientId), clientSeq: BigInt(message.clientSeq) };
      return { case: 'submit', value: create(pb.SubmitSchema, { room: idFromText(message.room), ...numbers, op: message.op }) };
    }
    case 'pull': {
      const afterSeq = BigInt(message.afterSeq);
      return { case: 'pull', value: create(pb.PullSchema, { room: idFromText(message.room), afterSeq }) };
    }
    case 'presence':
      return { case: 'presence', value: create(pb.SetPresenceSchema, { room: idFromText(message.room), data: message.data }) };
    case 'digest': {
      const seq = BigInt(message.seq);
      return { case: 'digest', value: create(pb.CheckDigestSchema, { room: idFromText(message.room), seq, digest: message.digest }) };
    }
    case 'ping':
      return { case: 'ping', value: create(pb.PingSchema, { nonce: BigInt(message.nonce) }) };
  }
}

/** @throws BadFrame, and only that, whatever the bytes are. */
export function decodeMessage(bytes: Uint8Array): ServerMessage[] {
  return splitFrames(bytes).map((frame) => {
    try {
      return serverMessage(fromBinary(pb.ServerFrameSchema, frame).body);
    } catch (cause) {
      if (cause instanceof BadFrame) throw cause;
      throw new BadFrame(`frame of ${frame.length} bytes cannot be read`, { cause });
    }
  });
}

function serverMessage(body: pb.ServerFrame['body']): ServerMessage {
  switch (body.case) {
    case 'welcome':
      return welcome(body.value);
    case 'attached':
      return attached(body.value);
    case 'detached': {
      const { room, asked, why } = body.value;
      return { type: 'detached', room: roomOrNull(room), asked, why: why ? fault(why) : null };
    }
    case 'outcomes': {
      const { room, clientId, outcomes } = body.value;
      return { type: 'outcomes', room: idToText(room), clientId: num(clientId), outcomes: outcomes.flatMap(outcome) };
    }
    case 'events':
      return { type: 'events', room: idToText(body.value.room), entries: body.value.entries.map(entry) };
    case 'resync':
      return { type: 'resync', room: idToText(body.value.room), head: num(body.value.head) };
    case 'state': {
      const { room, seq, state, repair, epoch, lineage } = body.value;
      const at = { seq: num(seq), bytes: state };
      return { type: 'state', room: idToText(room), state: at, repair, epoch: num(epoch), lineage: num(lineage) };
    }
    case 'peers': {
      const { room, here, left } = body.value;
      return { type: 'peers', room: idToText(room), here: here.map(peer), left: left.map(num) };
    }
    case 'digest': {
      const { room, seq, equal } = body.value;
      return { type: 'digest', room: idToText(room), seq: num(seq), equal };
    }
    case 'right':
      return { type: 'right', room: idToText(body.value.room), right: right(body.value.right) };
    case 'storing':
      return { type: 'storing', room: idToText(body.value.room), ok: body.value.ok };
    case 'goodbye': {
      const { retryAfterMs, why } = body.value;
      return { type: 'goodbye', retryAfterMs, why: why ? fault(why) : null };
    }
    case 'trouble': {
      const { room, fault: what } = body.value;
      return { type: 'trouble', room: roomOrNull(room), fault: what ? fault(what) : { code: 'unknown', params: {} } };
    }
    case 'pong':
      return { type: 'pong', nonce: num(body.value.nonce) };
    case undefined:
      return { type: 'unknown' };
  }
}

function welcome(w: pb.Welcome): Welcome {
  const { heartbeatMs, opBytesMax, window, name } = w;
  if (heartbeatMs === 0 || window === 0) throw new BadFrame('Welcome without heartbeat or window');
  return {
    type: 'welcome',
    sessionId: num(w.sessionId),
    clientId: num(w.clientId),
    clientIds: w.clientIds.map(num),
    retiredIds: w.retiredIds.map(num),
    personId: idToText(w.personId),
    name,
    serverTimeMs: num(w.serverTimeMs),
    heartbeatMs,
    opBytesMax,
    window,
  };
}

function attached(a: pb.Attached): Attached {
  return {
    type: 'attached',
    room: idToText(a.room),
    asked: a.asked,
    kind: a.kind,
    epoch: num(a.epoch),
    lineage: num(a.lineage),
    head: num(a.head),
    right: right(a.right),
    state: a.hasState ? { seq: num(a.stateSeq), bytes: a.state } : null,
    entries: a.entries.map(entry),
    peers: a.peers.map(peer),
    color: a.color,
    title: a.title,
  };
}

function entry(e: pb.Entry): Entry {
  const { seq, clientId, clientSeq, atMs, personId } = e;
  return {
    seq: num(seq),
    clientId: num(clientId),
    clientSeq: num(clientSeq),
    personId: personId.length === 0 ? null : idToText(personId),
    atMs: num(atMs),
    body: entryBody(e.body),
  };
}

function entryBody(body: pb.Entry['body']): EntryBody {
  switch (body.case) {
    case 'created': {
      const { kind, epoch, lineage } = body.value;
      return { type: 'created', kind, epoch: num(epoch), lineage: num(lineage) };
    }
    case 'effect':
      return { type: 'effect', bytes: body.value };
    case undefined:
      return { type: 'unknown' };
  }
}

function outcome(o: pb.Outcome): Outcome[] {
  const clientSeq = num(o.clientSeq);
  switch (o.is.case) {
    case 'accepted':
      return [{ clientSeq, is: { type: 'accepted', seq: num(o.is.value) } }];
    case 'refused':
      return [{ clientSeq, is: { type: 'refused', fault: fault(o.is.value) } }];
    case 'notSaved':
      return [{ clientSeq, is: { type: 'not_saved', fault: fault(o.is.value) } }];
    case 'missing':
      return [{ clientSeq, is: { type: 'missing', from: num(o.is.value) } }];
    case undefined:
      return [];
  }
}

function peer(p: pb.Peer): Peer {
  return { sessionId: num(p.sessionId), personId: idToText(p.personId), name: p.name, guest: p.guest, color: p.color, data: json(p.data) };
}

/** What another session said of itself; nonsense counts as nothing. */
function json(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return null;
  }
}

function right(value: pb.Right): Right {
  switch (value) {
    case pb.Right.NONE:
      return 'none';
    case pb.Right.READ:
      return 'read';
    case pb.Right.COMMENT:
      return 'comment';
    case pb.Right.EDIT:
      return 'edit';
    case pb.Right.MANAGE:
      return 'manage';
    default:
      // Of a newer version: what it allows is unknown, that one may read is certain.
      return 'read';
  }
}

const fault = (f: pb.Fault): Fault => ({ code: f.code, params: f.params });

const roomOrNull = (bytes: Uint8Array): string | null => (bytes.length === 0 ? null : idToText(bytes));

function num(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadFrame(`number above 2^53: ${value}`);
  return Number(value);
}
