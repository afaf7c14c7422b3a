import { ActionIcon, Menu, Text, Tooltip } from '@mantine/core';
import { IconClockHour4, IconDotsVertical, IconMinus, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useWords } from '../../i18n/hooks';
import type { Fault, OrderLineView } from '../../sync';
import classes from './Order.module.css';

interface Props {
  line: OrderLineView;
  /** The order is open and I may edit. */
  open: boolean;
  /** Buttons are there but off: the store takes nothing now. */
  off: boolean;
  fault: Fault | null;
  /** The one line that Tab reaches; arrows go on from there. */
  current: boolean;
  onFocus: () => void;
  onAdjust: (delta: number) => void;
  onEdit: () => void;
  onRemove: () => void;
}

export function LineRow(props: Props) {
  const { line, open, off, fault, current, onFocus, onAdjust } = props;
  const words = useWords();
  const { t } = words;
  const count = line.mine + line.pendingDelta;
  const soldOut = line.stock === 0;
  return (
    <li>
      <div
        className={classes.line}
        role="group"
        aria-label={t('order.my_count', { name: line.name, count })}
        tabIndex={current ? 0 : -1}
        data-line={line.id}
        data-testid="order-line"
        data-changing={line.changing || undefined}
        onFocus={onFocus}
      >
        <div className={classes.lineText}>
          <Text span className={classes.lineName}>
            {line.name}
          </Text>
          <Text span className={classes.lineInfo} c="dimmed" fz={12}>
            <span className={classes.digits} data-testid="line-price">
              {words.money(line.priceMinor)}
            </span>
            {soldOut && <strong className={classes.soldOut}>{t('order.sold_out_now')}</strong>}
            {line.stock !== null && !soldOut && (
              <span data-testid="line-left">{t('order.left', { count: line.stock })}</span>
            )}
            {(line.pendingDelta !== 0 || line.changing) && (
              <span className={classes.pending}>
                <IconClockHour4 size={14} stroke={1.5} aria-hidden="true" />
                {t('order.pending')}
              </span>
            )}
          </Text>
          <span role="status" className={classes.lineFault}>
            {fault === null ? '' : words.fault(fault)}
          </span>
        </div>
        {open && (
          <div className={classes.stepper}>
            <ActionIcon
              variant="default"
              size={32}
              tabIndex={current ? 0 : -1}
              aria-label={t('order.less', { name: line.name })}
              disabled={off || count <= 0}
              onClick={() => onAdjust(-1)}
            >
              <IconMinus size={16} stroke={1.5} />
            </ActionIcon>
            <output
              className={classes.count}
              data-pending={line.pendingDelta !== 0 || undefined}
              data-testid="my-count"
            >
              {count}
            </output>
            <ActionIcon
              variant="default"
              size={32}
              tabIndex={current ? 0 : -1}
              aria-label={t('order.more', { name: line.name })}
              disabled={off || soldOut}
              onClick={() => onAdjust(1)}
            >
              <IconPlus size={16} stroke={1.5} />
            </ActionIcon>
            <LineMenu {...props} />
          </div>
        )}
        {!open && count > 0 && <output className={classes.count}>{count}</output>}
      </div>
    </li>
  );
}

function LineMenu({ line, off, current, onEdit, onRemove }: Props) {
  const { t } = useWords();
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <Tooltip label={t('action.more')}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size={32}
            tabIndex={current ? 0 : -1}
            aria-label={t('order.line_actions', { name: line.name })}
            disabled={off}
          >
            <IconDotsVertical size={16} stroke={1.5} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={18} stroke={1.5} />} onClick={onEdit}>
          {t('action.edit')}
        </Menu.Item>
        <Menu.Item leftSection={<IconTrash size={18} stroke={1.5} />} onClick={onRemove}>
          {t('action.remove')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
