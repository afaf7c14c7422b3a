import { useState } from 'react';
import { usePicture } from '../api/pictures';
import { initials } from '../i18n/names';
import classes from './Avatar.module.css';
import { personColor } from './theme';

interface Props {
  name: string;
  /** Whose picture stands there, if they have one; initials otherwise. */
  person?: string;
  /** Colour number; null for somebody who is not in a room. */
  color: number | null;
  size?: number;
  idle?: boolean;
}

/** Decoration beside a name, or inside an element that carries the name. */
export function Avatar({ name, person, color, size = 28, idle = false }: Props) {
  const picture = usePicture(person);
  const [broken, setBroken] = useState<string | null>(null);
  const shown = picture !== null && picture !== broken;
  return (
    <span
      aria-hidden="true"
      className={classes.avatar}
      data-idle={idle || undefined}
      style={{
        inlineSize: size,
        blockSize: size,
        fontSize: Math.max(11, Math.round(size * 0.4)),
        ...(color === null
          ? {}
          : {
              background: personColor(color),
              color: 'var(--weft-person-text)',
              // The colour of the person's cursor stays to be seen around the picture.
              ...(shown ? { padding: 2 } : {}),
            }),
      }}
    >
      {shown ? (
        <img className={classes.picture} src={picture} alt="" draggable={false} onError={() => setBroken(picture)} />
      ) : (
        initials(name)
      )}
    </span>
  );
}
