/** What can be asked of an order, as a tagged union, and its bytes. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as pb from '../../generated/order_pb';
import type { OrderLineInput } from '../types';

export type Op =
  | { readonly type: 'add'; readonly line: OrderLineInput }
  | { readonly type: 'edit'; readonly id: number; readonly line: OrderLineInput }
  | { readonly type: 'remove'; readonly id: number }
  | { readonly type: 'adjust'; readonly id: number; readonly delta: number }
  | { readonly type: 'submit' }
  | { readonly type: 'reopen' }
  | { readonly type: 'close' }
  /** Of another version. */
  | { readonly type: 'unknown' };

export function encodeOp(op: Op): Uint8Array {
  return toBinary(pb.OrderOpSchema, create(pb.OrderOpSchema, { op: body(op) }));
}

function body(op: Op): pb.OrderOp['op'] {
  switch (op.type) {
    case 'add':
      return { case: 'addLine', value: create(pb.AddLineSchema, offer(op.line)) };
    case 'edit':
      return { case: 'editLine', value: create(pb.EditLineSchema, { line: BigInt(op.id), ...offer(op.line) }) };
    case 'remove':
      return { case: 'removeLine', value: create(pb.RemoveLineSchema, { line: BigInt(op.id) }) };
    case 'adjust':
      return { case: 'adjust', value: create(pb.AdjustSchema, { line: BigInt(op.id), delta: op.delta }) };
    case 'submit':
      return { case: 'submit', value: create(pb.SubmitSchema) };
    case 'reopen':
      return { case: 'reopen', value: create(pb.ReopenSchema) };
    case 'close':
      return { case: 'close', value: create(pb.CloseSchema) };
    case 'unknown':
      return { case: undefined };
  }
}

function offer(line: OrderLineInput): { name: string; priceMinor: bigint; stock?: number } {
  const { name, priceMinor, stock } = line;
  return { name, priceMinor: BigInt(priceMinor), ...(stock === null ? {} : { stock }) };
}

/** Never throws: what cannot be read is `unknown`. */
export function decodeOp(bytes: Uint8Array): Op {
  try {
    return opOf(fromBinary(pb.OrderOpSchema, bytes).op);
  } catch {
    return { type: 'unknown' };
  }
}

function opOf(op: pb.OrderOp['op']): Op {
  switch (op.case) {
    case 'addLine':
      return { type: 'add', line: input(op.value) };
    case 'editLine':
      return { type: 'edit', id: Number(op.value.line), line: input(op.value) };
    case 'removeLine':
      return { type: 'remove', id: Number(op.value.line) };
    case 'adjust':
      return { type: 'adjust', id: Number(op.value.line), delta: op.value.delta };
    case 'submit':
    case 'reopen':
    case 'close':
      return { type: op.case };
    case undefined:
      return { type: 'unknown' };
  }
}

function input(line: pb.AddLine | pb.EditLine): OrderLineInput {
  return { name: line.name, priceMinor: Number(line.priceMinor), stock: line.stock ?? null };
}

/** What the tray shows of it: the line's name and, where one was asked for, the change. */
export function describeOp(op: Op, nameOf: (line: number) => string | null): string {
  switch (op.type) {
    case 'add':
      return op.line.name;
    case 'edit':
      return `${nameOf(op.id) ?? ''} → ${op.line.name}`.trim();
    case 'remove':
      return nameOf(op.id) ?? '';
    case 'adjust':
      return `${nameOf(op.id) ?? ''} ${op.delta < 0 ? '−' : '+'}${Math.abs(op.delta)}`.trim();
    case 'submit':
    case 'reopen':
    case 'close':
    case 'unknown':
      return '';
  }
}
