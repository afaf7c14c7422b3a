/** A group order: the menu with my counts, everybody's sums, and its state. */
import { Button, Modal, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconClock, IconLock } from '@tabler/icons-react';
import { useMemo, useState, useSyncExternalStore, useEffect, useRef } from 'react';
import { mayWrite } from '../../frame/SaveIndicator';
import { useWhen, useWords } from '../../i18n/hooks';
import type { OrderLineView, OrderReplica, OrderView, Room, RoomState } from '../../sync';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { FaultAlert } from '../../ui/FaultAlert';
import { isImeKey } from '../../ui/ime';
import { isMod, isTextTarget } from '../../ui/shortcut';
import { toast } from '../../ui/toast';
import { useOrderActs, type OrderActs } from './acts';
import { draftOf } from './lineForm';
import { LineForm } from './LineForm';
import { LineRow } from './LineRow';
import { useNames, type Names } from './names';
import classes from './Order.module.css';
import { Summary, Total } from './Summary';

interface Props {
  room: Room;
  replica: OrderReplica;
  state: RoomState;
  myId: string;
}

export default function OrderRoom({ room, replica, state, myId }: Props) {
  const subscribe = useMemo(() => (changed: () => void) => replica.subscribe(changed), [replica]);
  const order = useSyncExternalStore(subscribe, () => replica.state());
  const acts = useOrderActs(room, replica);
  const wanted = useMemo(
    () => [...order.totals.map(({ personId }) => personId), ...(order.statusBy === null ? [] : [order.statusBy])],
    [order.totals, order.statusBy],
  );
  const names = useNames(state.roomId ?? '', state.faces, wanted);
  const editor = mayWrite(state.right);
  const { save } = state;
  const off = save.kind === 'failed' && (save.reason === 'store' || save.reason === 'full');
  const buttons = (
    <StatusButtons order={order} editor={editor} manager={state.right === 'manage'} off={off} acts={acts} />
  );
  useSubmitKey(editor && !off && order.status === 'open' && !order.statusPending, () => acts.step('submit'));

  return (
    <div className={classes.page} data-testid="order">
      <div className={classes.menu}>
        <StatusLine order={order} names={names} />
        <FaultAlert fault={acts.statusFault} />
        <Menu order={order} acts={acts} open={editor && order.status === 'open'} off={off} />
      </div>
      <div className={classes.side}>
        <Summary order={order} myId={myId} names={names} />
        <div className={classes.wideButtons}>{buttons}</div>
      </div>
      <div className={`${classes.bottom} no-print`}>
        <Total order={order} />
        {buttons}
      </div>
    </div>
  );
}

function StatusLine({ order, names }: { order: OrderView; names: Names }) {
  const { t, full } = useWords();
  const when = useWhen();
  const look = {
    open: { icon: IconClock, words: t('order.open') },
    submitted: { icon: IconCircleCheck, words: t('order.submitted') },
    closed: { icon: IconLock, words: t('order.closed') },
  }[order.status];
  const Icon = look.icon;
  const told = order.statusAt !== null && order.statusAt > 0;
  return (
    <div className={classes.status} role="status" data-status={order.status} data-testid="order-status">
      <Icon size={18} stroke={1.5} aria-hidden="true" />
      <Text span fw={600}>
        {look.words}
      </Text>
      {told && order.statusAt !== null && (
        <Text span c="dimmed" title={full(order.statusAt)}>
          {t('order.by', {
            name: order.statusBy === null ? t('order.someone') : names.of(order.statusBy),
            time: when(order.statusAt),
          })}
        </Text>
      )}
      {order.statusPending && (
        <Text span c="dimmed" fz={12}>
          {t('order.pending')}
        </Text>
      )}
    </div>
  );
}

interface ButtonsProps {
  order: OrderView;
  editor: boolean;
  manager: boolean;
  off: boolean;
  acts: OrderActs;
}

function StatusButtons({ order, editor, manager, off, acts }: ButtonsProps) {
  const { t } = useWords();
  const [asking, setAsking] = useState(false);
  const blocked = off || order.statusPending;
  return (
    <div className={classes.buttons}>
      {manager && order.status !== 'closed' && (
        <Button variant="subtle" color="gray" disabled={blocked} onClick={() => setAsking(true)}>
          {t('order.close')}
        </Button>
      )}
      {manager && order.status === 'submitted' && (
        <Button variant="default" disabled={blocked} onClick={() => acts.step('reopen')}>
          {t('order.reopen')}
        </Button>
      )}
      {editor && order.status === 'open' && (
        <Button disabled={blocked || order.total.items === 0} onClick={() => acts.step('submit')}>
          {t('order.submit')}
        </Button>
      )}
      <ConfirmDialog
        opened={asking}
        question={t('order.close_ask')}
        yes={t('order.close')}
        onYes={() => acts.step('close')}
        onClose={() => setAsking(false)}
      />
    </div>
  );
}

interface MenuProps {
  order: OrderView;
  acts: OrderActs;
  open: boolean;
  off: boolean;
}

function Menu({ order, acts, open, off }: MenuProps) {
  const { t } = useWords();
  const [editing, setEditing] = useState<OrderLineView | null>(null);
  const [removing, setRemoving] = useState<OrderLineView | null>(null);
  const [current, setCurrent] = useState<number | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const reachable = order.lines.some(({ id }) => id === current) ? current : order.lines[0]?.id;

  const remove = (line: OrderLineView) => {
    if (line.quantities.length > 0) return setRemoving(line);
    acts.remove(line.id);
    toast({
      message: t('order.removed', { name: line.name }),
      undo: () => void acts.add({ name: line.name, priceMinor: line.priceMinor, stock: line.stock }),
    });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (isImeKey(event.nativeEvent) || isTextTarget(event.target) || event.ctrlKey || event.metaKey) return;
    const line = order.lines.find(({ id }) => id === reachable);
    if (line === undefined) return;
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        if (isInMenu(event.target)) return;
        event.preventDefault();
        const step = event.key === 'ArrowDown' ? 1 : -1;
        const next = order.lines[order.lines.indexOf(line) + step];
        if (next === undefined) return;
        setCurrent(next.id);
        list.current?.querySelector<HTMLElement>(`[data-line="${next.id}"]`)?.focus();
        return;
      }
      case '+':
      case '=':
        if (open && !off && line.stock !== 0) acts.adjust(line.id, 1);
        return;
      case '-':
        if (open && !off && line.mine + line.pendingDelta > 0) acts.adjust(line.id, -1);
        return;
    }
  };

  return (
    <section aria-labelledby="order-menu">
      <Title order={2} fz={16} id="order-menu" mb={8}>
        {t('order.menu')}
      </Title>
      {order.lines.length === 0 && order.adding.length === 0 && (
        <div className={classes.noLines}>
          <Text fw={600}>{t('order.no_lines')}</Text>
          {open && <Text c="dimmed">{t('order.no_lines_hint')}</Text>}
        </div>
      )}
      <ul ref={list} className={classes.lines} onKeyDown={onKeyDown}>
        {order.lines.map((line) => (
          <LineRow
            key={line.id}
            line={line}
            open={open}
            off={off}
            fault={acts.lineFaults.get(line.id) ?? null}
            current={line.id === reachable}
            onFocus={() => setCurrent(line.id)}
            onAdjust={(delta) => acts.adjust(line.id, delta)}
            onEdit={() => setEditing(line)}
            onRemove={() => remove(line)}
          />
        ))}
        {order.adding.map((line, index) => (
          <li key={`${index} ${line.name}`} className={classes.adding}>
            <span>{line.name}</span>
            <Text span c="dimmed" fz={12}>
              {t('order.pending')}
            </Text>
          </li>
        ))}
      </ul>
      {open && (
        <section aria-label={t('order.add_line')} className={classes.add}>
          <LineForm submit={t('action.add')} disabled={off} onLine={acts.add} />
        </section>
      )}
      <EditLine line={editing} acts={acts} onClose={() => setEditing(null)} />
      <ConfirmDialog
        opened={removing !== null}
        question={t('order.remove_ask', { name: removing?.name ?? '' })}
        yes={t('action.remove')}
        onYes={() => removing !== null && acts.remove(removing.id)}
        onClose={() => setRemoving(null)}
      />
    </section>
  );
}

function isInMenu(target: EventTarget): boolean {
  return target instanceof Element && target.closest('[role="menu"]') !== null;
}

interface EditProps {
  line: OrderLineView | null;
  acts: OrderActs;
  onClose: () => void;
}

function EditLine({ line, acts, onClose }: EditProps) {
  const { t, fault } = useWords();
  if (line === null) return null;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('order.edit_line', { name: line.name })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <LineForm
        key={line.id}
        initial={draftOf(line)}
        submit={t('action.save')}
        extra={
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
        }
        onLine={async (to) => {
          onClose();
          const refused = await acts.edit(line.id, to);
          if (refused !== null) toast({ message: `${to.name}: ${fault(refused)}` });
          return null;
        }}
      />
    </Modal>
  );
}

/** Ctrl Enter submits, but not out of a field. */
function useSubmitKey(active: boolean, submit: () => void): void {
  const latest = useRef({ active, submit });
  latest.current = { active, submit };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !isMod(event) || isImeKey(event) || isTextTarget(event.target)) return;
      if (document.querySelector('[role="dialog"]') !== null || !latest.current.active) return;
      event.preventDefault();
      latest.current.submit();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
