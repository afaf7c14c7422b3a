import { create, toBinary } from '@bufbuild/protobuf';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as pb from '../../generated/order_pb';
import { Right } from '../../generated/weft_pb';
import { idFromText } from '../ids';
import { settle } from '../testing/clock';
import { fromHex, toHex } from '../testing/hex';
import { ME } from '../testing/me';
import { World } from '../testing/world';
import { decodeOp, describeOp, encodeOp, type Op } from './op';
import { OrderBook } from './state';

interface Vector {
  readonly name: string;
  readonly steps: readonly { readonly effect: string; readonly state: string; readonly digest: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../proto/vectors/order.json', import.meta.url), 'utf8'),
) as Vector[];

describe('vectors made by the core', () => {
  test.each(vectors)('$name', ({ steps }) => {
    const book = new OrderBook();
    for (const { effect, state, digest } of steps) {
      book.apply(fromHex(effect));
      expect(toHex(book.encode())).toBe(state);
      expect(toHex(OrderBook.decode(fromHex(state)).encode())).toBe(state);
      expect(toHex(book.digest())).toBe(digest);
    }
  });

  test('quantities are in order of person, then line; as in the core', () => {
    const people = ['0000000000000000000000000b', '0000000000000000000000000a'].map(idFromText);
    const quantities = people.flatMap((personId) => [3n, 2n].map((line) => ({ personId, line, count: 1 })));
    const book = new OrderBook();
    book.apply(toBinary(pb.OrderEffectSchema, create(pb.OrderEffectSchema, { quantities })));
    expect(book.quantities().map(({ personId, line }) => `${personId.at(-1)}${line}`)).toEqual(['a2', 'a3', 'b2', 'b3']);
  });

  test('there are some', () => {
    expect(vectors.flatMap(({ steps }) => steps).length).toBeGreaterThan(0);
  });
});

describe('operations', () => {
  test('survive their bytes, and say what they are', () => {
    const line = { name: 'Tea', priceMinor: 300, stock: 0 };
    const cases: [Op, string][] = [
      [{ type: 'add', line }, 'Tea'],
      [{ type: 'add', line: { ...line, stock: null } }, 'Tea'],
      [{ type: 'edit', id: 2, line }, 'Noodles → Tea'],
      [{ type: 'remove', id: 2 }, 'Noodles'],
      [{ type: 'adjust', id: 2, delta: 3 }, 'Noodles +3'],
      [{ type: 'adjust', id: 2, delta: -1 }, 'Noodles −1'],
      [{ type: 'adjust', id: 9, delta: 1 }, '+1'],
      [{ type: 'submit' }, ''],
      [{ type: 'reopen' }, ''],
      [{ type: 'close' }, ''],
    ];
    for (const [op, text] of cases) {
      expect(decodeOp(encodeOp(op))).toEqual(op);
      expect(describeOp(op, (id) => (id === 2 ? 'Noodles' : null))).toBe(text);
    }
    expect(decodeOp(Uint8Array.of(0xff))).toEqual({ type: 'unknown' });
  });
});

describe('the replica', () => {
  const lines = (): Uint8Array =>
    toBinary(
      pb.OrderEffectSchema,
      create(pb.OrderEffectSchema, {
        lines: [{ id: 2n, name: 'Noodles', priceMinor: 1_800n }],
        quantities: [{ personId: idFromText('0000000000000000000000000z'), line: 2n, count: 1 }],
        totals: [{ personId: idFromText('0000000000000000000000000z'), items: 1, minor: 1_800n }],
        total: { items: 1, minor: 1_800n },
      }),
    );

  async function lunch(): Promise<World> {
    const world = await World.ready({ kind: 'order' });
    world.there.commit(lines(), world.server.socket());
    await settle();
    return world;
  }

  test('shows own operations as pending beside what is confirmed, never in totals', async () => {
    const world = await lunch();
    const order = world.order();
    world.there.held = [];
    const outcomes = [order.adjust(2, 1), order.adjust(2, 2)];
    await settle();
    expect(order.state()).toMatchObject({
      lines: [{ id: 2, name: 'Noodles', priceMinor: 1_800, stock: null, mine: 0, pendingDelta: 3 }],
      total: { items: 1, minor: 1_800 },
    });
    expect(world.room.state().pending).toBe(2);
    world.there.release();
    expect(await Promise.all(outcomes)).toEqual([{ ok: true, seq: 3 }, { ok: true, seq: 4 }]);
    await settle();
    expect(order.state().lines).toMatchObject([{ mine: 3, pendingDelta: 0 }]);
  });

  test('an acknowledgement before its entry makes no number jump', async () => {
    const world = await lunch();
    const order = world.order();
    const seen: number[] = [];
    order.subscribe(() => {
      const [line] = order.state().lines;
      seen.push((line?.mine ?? 0) + (line?.pendingDelta ?? 0));
    });
    world.there.losing.add(3);
    await order.adjust(2, 1);
    expect(order.state().lines).toMatchObject([{ mine: 0, pendingDelta: 1 }]);
    expect(world.room.state().pending).toBe(0);
    world.there.events(world.server.socket(), world.there.log.slice(2));
    await settle();
    expect(order.state().lines).toMatchObject([{ mine: 1, pendingDelta: 0 }]);
    expect(new Set(seen)).toEqual(new Set([1]));
  });

  test('sold out: the count snaps back, the act is told why, the tray names the line', async () => {
    const world = await lunch();
    const sold = { code: 'order.sold_out', params: { left: '0', name: 'Noodles' } };
    world.there.verdict = () => ({ case: 'refused', value: sold });
    const outcome = await world.order().adjust(2, 2);
    expect(outcome).toEqual({ ok: false, fault: sold });
    await settle();
    expect(world.order().state().lines).toMatchObject([{ mine: 0, pendingDelta: 0 }]);
    expect(world.room.state().tray).toMatchObject([{ text: 'Noodles +2', reason: sold }]);
    expect(world.room.state().generation).toBe(1);
  });

  test('L3: a repeat after a reconnect counts once', async () => {
    const world = await lunch();
    world.there.held = [];
    const outcome = world.order().adjust(2, 1);
    await settle();
    world.server.cut();
    world.there.held = null;
    await world.clock.advance(500);
    expect(await outcome).toEqual({ ok: true, seq: 3 });
    expect(world.server.submits()).toEqual(['101:1', '101:1']);
    expect(world.order().state().lines).toMatchObject([{ mine: 1, pendingDelta: 0 }]);
    expect(world.there.book.quantities().find(({ personId }) => personId === ME)?.count).toBe(1);
  });

  test('R8: orders are compared by the digest of their state', async () => {
    const world = await lunch();
    await world.clock.advance(2_000);
    expect(world.server.all('digest')).toHaveLength(1);
    expect(world.room.state().repairs).toBe(0);
    world.there.book.total = { items: 9, minor: 9 };
    await world.order().adjust(2, 1);
    await world.clock.advance(2_000);
    expect(world.room.state().repairs).toBe(1);
    expect(world.order().state().total).toEqual({ items: 9, minor: 9 });
  });

  test('without the right, or with numbers that are none, an act resolves as refused', async () => {
    const world = await lunch();
    expect(await world.order().adjust(2, 0.5)).toMatchObject({ ok: false, fault: { code: 'op_malformed' } });
    world.server.socket().reply({ case: 'right', value: { room: world.there.bytes, right: Right.READ } });
    await settle();
    expect(await world.order().adjust(2, 1)).toMatchObject({ ok: false, fault: { code: 'no_right' } });
    expect(world.server.submits()).toEqual([]);
  });
});
