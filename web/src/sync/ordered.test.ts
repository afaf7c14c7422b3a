import { expect, test } from 'vitest';
import { Ordered } from './ordered';
import type { PendingOp } from './outbox';
import { FakeClock } from './testing/clock';
import type { OrderOutcome } from './types';

const clock = new FakeClock();

/** A count: its effects are what is added, its state is the sum. */
class Count {
  sum = 0;

  static decode(state: Uint8Array): Count {
    const count = new Count();
    count.apply(state);
    return count;
  }

  apply([by = 0]: Uint8Array): void {
    this.sum += by;
  }

  digest(): Uint8Array {
    return Uint8Array.of(this.sum);
  }
}

class Counter extends Ordered<Count, number, string> {
  readonly submitted: { readonly bytes: Uint8Array; readonly since: number }[] = [];

  constructor() {
    super(
      {
        clock,
        submit: (bytes, since, done) => {
          this.submitted.push({ bytes, since });
          done?.({ ok: true, seq: 9 });
        },
        opBytesMax: () => 1_000,
        setPresence: () => undefined,
        changed: () => undefined,
        broken: () => undefined,
      },
      {
        book: Count,
        encodeOp: (by) => {
          if (!Number.isInteger(by)) throw new RangeError('no integer');
          return Uint8Array.of(by);
        },
        decodeOp: ([by = 0]) => by,
        viewOf: ({ sum }, pending) => [sum, ...pending].join('+'),
      },
    );
  }

  add(by: number): Promise<OrderOutcome> {
    return this.ask(by);
  }
}

const op = (token: number, by: number): PendingOp =>
  ({ token, bytes: Uint8Array.of(by) }) as unknown as PendingOp;

/** A counter that stands at 5, and all that its listener has seen of it. */
function counterAt5() {
  const counter = new Counter();
  counter.load(Uint8Array.of(5));
  const seen: string[] = [];
  counter.subscribe(() => seen.push(counter.state()));
  counter.reached(1);
  return { counter, seen };
}

test('an operation shows from when it is made until its entry does', () => {
  const { counter, seen } = counterAt5();
  counter.pending(op(1, 2));
  counter.pending(op(2, 3));
  counter.accepted(op(1, 2), 2);
  counter.apply(Uint8Array.of(2));
  counter.reached(2);
  expect(seen).toEqual(['5', '5+2', '5+2+3', '7+3']);
  expect(counter.digest()).toEqual(Uint8Array.of(7));
});

test('an answer that comes after the entry ends it at once', () => {
  const { counter, seen } = counterAt5();
  counter.pending(op(1, 2));
  counter.apply(Uint8Array.of(2));
  counter.reached(2);
  counter.accepted(op(1, 2), 2);
  expect(seen.at(-1)).toBe('7');
});

test('what is dropped shows no more, and the content need not come anew', () => {
  const { counter, seen } = counterAt5();
  counter.pending(op(1, 2));
  expect(counter.dropped(op(1, 2))).toBe(false);
  expect(counter.dropped(op(1, 2))).toBe(false);
  expect(seen).toEqual(['5', '5+2', '5']);
});

test('a state that is loaded replaces everything; a later one of the same lineage leaves what waits', () => {
  const { counter } = counterAt5();
  counter.pending(op(1, 2));
  counter.advance(Uint8Array.of(6));
  counter.reached(2);
  expect([counter.state(), counter.generation()]).toEqual(['6+2', 1]);
  counter.load(Uint8Array.of(7));
  counter.reached(3);
  expect([counter.state(), counter.generation()]).toEqual(['7', 2]);
});

test('what cannot be encoded is refused here, all else is sent as of now', async () => {
  const { counter } = counterAt5();
  expect(await counter.add(0.5)).toEqual({ ok: false, fault: { code: 'op_malformed', params: {} } });
  expect(await counter.add(2)).toEqual({ ok: true, seq: 9 });
  expect(counter.submitted).toEqual([{ bytes: Uint8Array.of(2), since: clock.now() }]);
});

test('nobody is told any more once it has stopped', () => {
  const { counter, seen } = counterAt5();
  const off = counter.subscribe(() => seen.push('other'));
  off();
  counter.stop();
  counter.pending(op(1, 2));
  expect(seen).toEqual(['5']);
});
