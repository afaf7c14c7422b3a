/** The way back to a space, above a page about it. */
import { Link } from '@tanstack/react-router';
import type { Space } from '../api/types';
import { useWords } from '../i18n/hooks';
import { spaceName } from '../i18n/names';
import classes from './List.module.css';

export function SpaceCrumb({ space }: { space: Space }) {
  const { t } = useWords();
  return (
    <nav className={classes.crumbs} aria-label={t('space.path')}>
      <span className={classes.crumb}>
        <Link to="/space/$id" params={{ id: space.id }}>
          {spaceName(t, space)}
        </Link>
      </span>
    </nav>
  );
}
