import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import * as pb from '../generated/weft_pb';
import { BadFrame, joinFrames, splitFrames } from './frames';
import { idFromText, idToText, isId } from './ids';
import { decodeMessage, encodeMessage } from './wire';

const ROOM = '7zzzzzzzzzzzzzzzzzzzzzzzzz';

describe('ids', () => {
  test('survive text, as in the core', () => {
    expect(idToText(new Uint8Array(16).fill(255))).toBe(ROOM);
    expect(idToText(new Uint8Array(16))).toBe('0'.repeat(26));
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
    expect(idFromText(idToText(bytes))).toEqual(bytes);
  });

  test('what is no id is refused', () => {
    for (const text of ['', '0', '80000000000000000000000000', '0000000000000000000000000u', 'é'.repeat(13)]) {
      expect([text, isId(text)]).toEqual([text, false]);
      expect(() => idFromText(text)).toThrow(RangeError);
    }
    expect(() => idToText(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('frames', () => {
  test('several in one message, also long ones', () => {
    const frames = [new Uint8Array(0), Uint8Array.of(1, 2), new Uint8Array(20_000).fill(7)];
    expect(splitFrames(joinFrames(frames))).toEqual(frames);
  });

  test('every truncation of a message is an error, not nonsense', () => {
    const message = joinFrames([new Uint8Array(300).fill(1)]);
    for (let length = 1; length < message.length; length++) {
      expect(() => splitFrames(message.subarray(0, length))).toThrow(BadFrame);
    }
  });
});

describe('messages', () => {
  const frame = (body: pb.ServerFrame['body']): Uint8Array =>
    joinFrames([toBinary(pb.ServerFrameSchema, create(pb.ServerFrameSchema, { body }))]);

  const attached = frame({
    case: 'attached',
    value: create(pb.AttachedSchema, {
      room: idFromText(ROOM),
      asked: 'plan',
      kind: 'doc',
      epoch: 1n,
      lineage: 2n,
      head: 3n,
      right: pb.Right.COMMENT,
      entries: [{ seq: 1n, body: { case: 'created', value: { kind: 'doc', epoch: 1n, lineage: 2n } } }, { seq: 2n }],
      peers: [{ sessionId: 4n, personId: idFromText(ROOM), name: 'An', color: 2, data: new TextEncoder().encode('{"a":1}') }],
      color: 5,
      title: 'T',
    }),
  });

  test('become plain values', () => {
    expect(decodeMessage(attached)).toEqual([
      {
        type: 'attached',
        room: ROOM,
        asked: 'plan',
        kind: 'doc',
        epoch: 1,
        lineage: 2,
        head: 3,
        right: 'comment',
        state: null,
        entries: [
          { seq: 1, clientId: 0, clientSeq: 0, personId: null, atMs: 0, body: { type: 'created', kind: 'doc', epoch: 1, lineage: 2 } },
          { seq: 2, clientId: 0, clientSeq: 0, personId: null, atMs: 0, body: { type: 'unknown' } },
        ],
        peers: [{ sessionId: 4, personId: ROOM, name: 'An', guest: false, color: 2, data: { a: 1 } }],
        color: 5,
        title: 'T',
      },
    ]);
  });

  test('numbers above 2^53, ids of the wrong length and broken text are bad frames', () => {
    const bad = [
      frame({ case: 'pong', value: create(pb.PongSchema, { nonce: 2n ** 53n }) }),
      frame({ case: 'events', value: create(pb.EventsSchema, { room: new Uint8Array(3) }) }),
      joinFrames([Uint8Array.of(0x12, 4, 0x12, 2, 0xff, 0xfe)]),
    ];
    for (const bytes of bad) expect(() => decodeMessage(bytes)).toThrow(BadFrame);
  });

  test('whatever the bytes are, the only error is BadFrame', () => {
    let seed = 48_213;
    const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31);
    for (let round = 0; round < 3_000; round++) {
      const bytes = Uint8Array.from(attached);
      for (let i = 0; i < 1 + (next() % 4); i++) bytes[next() % bytes.length] = next() % 256;
      const cut = next() % 5 === 0 ? bytes.subarray(0, next() % bytes.length) : bytes;
      try {
        decodeMessage(cut);
      } catch (error) {
        if (!(error instanceof BadFrame)) throw new Error(`round ${round}`, { cause: error });
      }
    }
  });

  test('to the server carry what was said', () => {
    const op = Uint8Array.of(1, 2, 3);
    const [hello, submit] = splitFrames(
      encodeMessage([
        { type: 'hello', clientIds: [7] },
        { type: 'submit', room: ROOM, clientId: 7, clientSeq: 1, op },
      ]),
    );
    expect([...hello!]).toEqual([0x0a, 5, 0x08, 1, 0x12, 1, 7]);
    expect([...submit!.subarray(0, 4)]).toEqual([0x22, 27, 0x0a, 16]);
  });
});
