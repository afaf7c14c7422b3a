/**
 * What I do in an order, and what became of it. A refusal is said where it belongs (on the line,
 * in the form); it is then not repeated in the tray.
 */
import { useCallback, useState } from 'react';
import type { Fault, OrderLineInput, OrderOutcome, OrderReplica, Room } from '../../sync';

export interface OrderActs {
  /** The last refusal per line. */
  lineFaults: ReadonlyMap<number, Fault>;
  /** The last refusal of submit, open again or close. */
  statusFault: Fault | null;
  adjust: (line: number, delta: number) => void;
  add: (line: OrderLineInput) => Promise<Fault | null>;
  edit: (line: number, to: OrderLineInput) => Promise<Fault | null>;
  remove: (line: number) => void;
  step: (to: 'submit' | 'reopen' | 'close') => void;
}

export function useOrderActs(room: Room, replica: OrderReplica): OrderActs {
  const [lineFaults, setLineFaults] = useState<ReadonlyMap<number, Fault>>(new Map());
  const [statusFault, setStatusFault] = useState<Fault | null>(null);

  const said = useCallback(
    (outcome: OrderOutcome): Fault | null => {
      if (outcome.ok) return null;
      const { fault } = outcome;
      const item = room.state().tray.findLast(({ reason }) => reason.code === fault.code);
      if (item !== undefined) room.discardTrayItem(item.id);
      return fault;
    },
    [room],
  );
  const sayOnLine = useCallback((line: number, fault: Fault | null) => {
    setLineFaults((before) => {
      if (fault === null && !before.has(line)) return before;
      const next = new Map(before);
      if (fault === null) next.delete(line);
      else next.set(line, fault);
      return next;
    });
  }, []);

  const adjust = (line: number, delta: number) => {
    sayOnLine(line, null);
    void replica.adjust(line, delta).then((outcome) => {
      const fault = said(outcome);
      if (fault !== null) sayOnLine(line, fault);
    });
  };
  const remove = (line: number) => {
    void replica.removeLine(line).then((outcome) => {
      const fault = said(outcome);
      if (fault !== null) sayOnLine(line, fault);
    });
  };
  const step = (to: 'submit' | 'reopen' | 'close') => {
    setStatusFault(null);
    void replica[to]().then((outcome) => setStatusFault(said(outcome)));
  };
  return {
    lineFaults,
    statusFault,
    adjust,
    add: (line) => replica.addLine(line).then(said),
    edit: (line, to) => replica.editLine(line, to).then(said),
    remove,
    step,
  };
}
