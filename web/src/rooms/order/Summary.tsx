/** What everybody takes and what it costs: only as the server has confirmed it. */
import { Text, Title } from '@mantine/core';
import { useWords } from '../../i18n/hooks';
import type { OrderLineView, OrderView } from '../../sync';
import { Avatar } from '../../ui/Avatar';
import type { Names } from './names';
import classes from './Order.module.css';

interface Props {
  order: OrderView;
  myId: string;
  names: Names;
}

export function Summary({ order, myId, names }: Props) {
  const { t } = useWords();
  const mine = order.lines.filter((line) => line.mine > 0 || line.pendingDelta > 0);
  return (
    <>
      <section aria-labelledby="order-yours" className={classes.box}>
        <Title order={2} fz={16} id="order-yours">
          {t('order.yours')}
        </Title>
        {mine.length === 0 ? (
          <Text c="dimmed" mt={8}>
            {t('order.empty')}
          </Text>
        ) : (
          <ul className={classes.plain} data-testid="my-items">
            {mine.map((line) => (
              <MyItem key={line.id} line={line} />
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="order-everybody" className={classes.box}>
        <Title order={2} fz={16} id="order-everybody">
          {t('order.everybody')}
        </Title>
        <ul className={classes.plain} data-testid="person-totals">
          {order.totals.map((total) => (
            <PersonTotal key={total.personId} order={order} total={total} myId={myId} names={names} />
          ))}
        </ul>
        <Total order={order} />
        <Text fz={12} c="dimmed" mt={8}>
          {t('order.only_server')}
        </Text>
      </section>
    </>
  );
}

function MyItem({ line }: { line: OrderLineView }) {
  const { t, money } = useWords();
  return (
    <li className={classes.sum}>
      <span className={classes.sumName}>{line.name}</span>
      <span className={classes.digits}>×{line.mine}</span>
      <span className={classes.sumMoney}>{money(line.mine * line.priceMinor)}</span>
      {line.pendingDelta !== 0 && (
        <Text span fz={12} c="dimmed" className={classes.sumNote}>
          {line.pendingDelta > 0 ? '+' : '−'}
          {Math.abs(line.pendingDelta)} {t('order.pending')}
        </Text>
      )}
    </li>
  );
}

interface PersonProps extends Props {
  total: OrderView['totals'][number];
}

function PersonTotal({ order, total, myId, names }: PersonProps) {
  const { t, money } = useWords();
  const name = names.of(total.personId);
  const items = order.lines
    .map((line) => ({
      name: line.name,
      count: line.quantities.find(({ personId }) => personId === total.personId)?.count ?? 0,
    }))
    .filter(({ count }) => count > 0)
    .map((item) => `${item.name} ×${item.count}`);
  return (
    <li className={classes.sum}>
      <Avatar name={name} person={total.personId} color={names.colorOf(total.personId)} size={24} />
      <span className={classes.sumName}>
        {total.personId === myId ? t('presence.you', { name }) : name}
      </span>
      <span className={classes.digits}>{t('order.items', { count: total.items })}</span>
      <span className={classes.sumMoney}>{money(total.minor)}</span>
      <Text span fz={12} c="dimmed" className={classes.sumNote}>
        {items.join(' · ')}
      </Text>
    </li>
  );
}

export function Total({ order }: { order: OrderView }) {
  const { t, money } = useWords();
  return (
    <div className={classes.total}>
      <span>{t('order.total')}</span>
      <span className={classes.digits} data-testid="total-items">
        {t('order.items', { count: order.total.items })}
      </span>
      <strong className={classes.digits} data-testid="order-total">
        {money(order.total.minor)}
      </strong>
    </div>
  );
}
