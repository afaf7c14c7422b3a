/** One room of the test's server: log, outcomes per client, and a state. */
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import * as Y from 'yjs';
import * as order from '../../generated/order_pb';
import type * as pb from '../../generated/weft_pb';
import { Right, type AttachedSchema, type EntrySchema, type OutcomeSchema } from '../../generated/weft_pb';
import { docDigest } from '../doc/digest';
import { hasPredecessors } from '../doc/update';
import { idFromText } from '../ids';
import { decodeOp } from '../order/op';
import { OrderBook } from '../order/state';
import { ME } from './me';
import type { FakeSocket } from './server';

type Is = NonNullable<MessageInitShape<typeof OutcomeSchema>['is']>;
type Entry = MessageInitShape<typeof EntrySchema>;

export class FakeRoom {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly kind: 'doc' | 'order';
  key = '';
  fault: string | null = null;
  epoch = 1;
  lineage = 1;
  right = Right.EDIT;
  head = 1;
  peers: MessageInitShape<typeof AttachedSchema>['peers'] = [];
  log: Entry[] = [];
  ydoc = new Y.Doc();
  book = new OrderBook();
  /** Outcomes and entries wait here while not null. */
  held: (() => void)[] | null = null;
  /** Entries of these seqs are not sent as events. */
  readonly losing = new Set<number>();
  /** A test's own verdict; null: as usual. */
  verdict: (submit: pb.Submit) => Is | null = () => null;
  /** A newcomer gets the first state and all entries, as from a log without a snapshot. */
  attachesByEntries = false;
  /** Pulls are answered by state. */
  pullsByState = false;
  /** Per client, outcome by number. */
  readonly ledger = new Map<bigint, Map<bigint, Is>>();

  constructor(id: string, kind: 'doc' | 'order' = 'doc') {
    this.id = id;
    this.bytes = idFromText(id);
    this.kind = kind;
    this.log.push({ seq: 1n, body: { case: 'created', value: { kind, epoch: 1n, lineage: 1n } } });
  }

  attached({ sinceSeq, epoch, lineage }: pb.Attach): MessageInitShape<typeof AttachedSchema> {
    const since = Number(sinceSeq);
    const resumes = since > 0 && Number(epoch) === this.epoch && Number(lineage) === this.lineage;
    const start = this.attachesByEntries
      ? { stateSeq: 1n, state: Y.encodeStateAsUpdate(new Y.Doc()), entries: this.log.slice(1) }
      : { stateSeq: BigInt(this.head), state: this.state() };
    return {
      room: this.bytes,
      kind: this.kind,
      epoch: BigInt(this.epoch),
      lineage: BigInt(this.lineage),
      head: BigInt(this.head),
      right: this.right,
      hasState: !resumes,
      ...(resumes ? { entries: this.log.slice(since) } : start),
      peers: this.peers ?? [],
      color: 1,
      title: 'Q4 plan',
    };
  }

  state(): Uint8Array {
    return this.kind === 'doc' ? Y.encodeStateAsUpdate(this.ydoc) : this.book.encode();
  }

  digest(): Uint8Array {
    return this.kind === 'doc' ? docDigest(this.ydoc) : this.book.digest();
  }

  /** As from a backup that was made when the room was new. */
  restoreToNothing(): void {
    this.epoch += 1;
    this.ydoc = new Y.Doc();
    this.book = new OrderBook();
    this.held = null;
    this.head = this.log.length = 1;
    this.ledger.clear();
  }

  /** Lets go what was held. */
  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const go of held) go();
  }

  /** An entry of somebody else. */
  commit(effect: Uint8Array, to: FakeSocket, by: { clientId: bigint; clientSeq: bigint } = { clientId: 9n, clientSeq: 0n }): number {
    if (this.kind === 'doc') Y.applyUpdate(this.ydoc, effect);
    else this.book.apply(effect);
    this.head += 1;
    const seq = this.head;
    const entry: Entry = { seq: BigInt(seq), ...by, body: { case: 'effect', value: effect } };
    this.log.push(entry);
    this.#later(() => {
      if (!this.losing.has(seq)) this.events(to, [entry]);
    });
    return seq;
  }

  events(to: FakeSocket, entries: Entry[]): void {
    to.reply({ case: 'events', value: { room: this.bytes, entries } });
  }

  take(from: FakeSocket, body: Extract<pb.ClientFrame['body'], { case: 'submit' | 'pull' | 'digest' }>): void {
    switch (body.case) {
      case 'submit':
        return this.#submit(from, body.value);
      case 'pull': {
        if (!this.pullsByState) return this.events(from, this.log.slice(Number(body.value.afterSeq)));
        return this.sendState(from, false);
      }
      case 'digest': {
        const { seq, digest } = body.value;
        const equal = Number(seq) !== this.head || this.digest().every((byte, i) => byte === digest[i]);
        from.reply({ case: 'digest', value: { room: this.bytes, seq, equal } });
        if (!equal) this.sendState(from, true);
      }
    }
  }

  sendState(to: FakeSocket, repair: boolean): void {
    const numbers = { seq: BigInt(this.head), epoch: BigInt(this.epoch), lineage: BigInt(this.lineage) };
    to.reply({ case: 'state', value: { room: this.bytes, ...numbers, state: this.state(), repair } });
  }

  outcome(to: FakeSocket, clientId: bigint, clientSeq: bigint, is: Is): void {
    to.reply({ case: 'outcomes', value: { room: this.bytes, clientId, outcomes: [{ clientSeq, is }] } });
  }

  #submit(from: FakeSocket, submit: pb.Submit): void {
    const { clientId, clientSeq } = submit;
    const ledger = this.ledger.get(clientId) ?? new Map<bigint, Is>();
    this.ledger.set(clientId, ledger);
    const is = ledger.get(clientSeq) ?? this.verdict(submit) ?? this.#decide(from, submit, ledger);
    if (is.case === 'accepted' || is.case === 'refused') ledger.set(clientSeq, is);
    this.#later(() => this.outcome(from, clientId, clientSeq, is));
  }

  #decide(from: FakeSocket, submit: pb.Submit, ledger: Map<bigint, Is>): Is {
    const next = BigInt(ledger.size + 1);
    if (submit.clientSeq !== next) return { case: 'missing', value: next };
    if (this.right !== Right.EDIT) return { case: 'refused', value: { code: 'no_right', params: { needed: 'edit' } } };
    if (this.kind === 'order') return { case: 'accepted', value: BigInt(this.commit(this.#adjust(submit.op), from, submit)) };
    if (!hasPredecessors(this.ydoc, submit.op)) return { case: 'refused', value: { code: 'missing_predecessors' } };
    return { case: 'accepted', value: BigInt(this.commit(submit.op, from, submit)) };
  }

  /** Enough of an order: the counts of one person. */
  #adjust(bytes: Uint8Array): Uint8Array {
    const op = decodeOp(bytes);
    if (op.type !== 'adjust') return new Uint8Array();
    const before = this.book.quantities().find(({ line, personId: id }) => line === op.id && id === ME)?.count ?? 0;
    const personId = idFromText(ME);
    const quantities = [create(order.QuantitySchema, { personId, line: BigInt(op.id), count: before + op.delta })];
    return toBinary(order.OrderEffectSchema, create(order.OrderEffectSchema, { quantities }));
  }

  #later(go: () => void): void {
    if (this.held) this.held.push(go);
    else go();
  }
}
