import { initials } from '../i18n/names';
import classes from './Avatar.module.css';
import { personColor } from './theme';

interface Props {
  name: string;
  /** Colour number; null for somebody who is not in a room. */
  color: number | null;
  size?: number;
  idle?: boolean;
}

/** Decoration beside a name, or inside an element that carries the name. */
export function Avatar({ name, color, size = 28, idle = false }: Props) {
  return (
    <span
      aria-hidden="true"
      className={classes.avatar}
      data-idle={idle || undefined}
      style={{
        inlineSize: size,
        blockSize: size,
        fontSize: Math.max(11, Math.round(size * 0.4)),
        ...(color === null ? {} : { background: personColor(color), color: 'var(--weft-person-text)' }),
      }}
    >
      {initials(name)}
    </span>
  );
}
