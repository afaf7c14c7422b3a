import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { TITLE_CHARS_MAX } from '../api/limits';
import { useWords } from '../i18n/hooks';
import { isImeKey } from '../ui/ime';
import classes from './Frame.module.css';

interface Props {
  title: string;
  editable: boolean;
  /** Selected and focused on arrival: a new object, or "Rename". Counts up. */
  selectAt: number;
  onRename: (title: string) => Promise<boolean>;
  /** Enter: on to the content. */
  onDone: () => void;
}

/** The title, edited where it stands. A name that could not be saved stays in the field. */
export function TitleField({ title, editable, selectAt, onRename, onDone }: Props) {
  const { t } = useWords();
  const field = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (selectAt === 0 || !editable) return;
    field.current?.focus();
    field.current?.select();
  }, [selectAt, editable]);

  const commit = async () => {
    const wanted = draft?.trim();
    if (wanted === undefined || wanted === title) {
      setDraft(null);
      setFailed(false);
      return;
    }
    const done = await onRename(wanted);
    setFailed(!done);
    if (done) setDraft(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isImeKey(event.nativeEvent)) return;
    if (event.key === 'Enter') {
      event.preventDefault();
      onDone();
    } else if (event.key === 'Escape') {
      setDraft(null);
      setFailed(false);
    }
  };

  if (!editable) {
    return (
      <h1 className={classes.title} data-testid="title">
        {title.trim() === '' ? t('doc.untitled') : title}
      </h1>
    );
  }
  return (
    <>
      <h1 className="visually-hidden">{title.trim() === '' ? t('doc.untitled') : title}</h1>
      <input
        ref={field}
        className={classes.title}
        aria-label={t('room.title')}
        aria-invalid={failed || undefined}
        placeholder={t('doc.untitled')}
        value={draft ?? title}
        maxLength={TITLE_CHARS_MAX}
        size={1}
        data-testid="title"
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={() => void commit()}
        onKeyDown={onKeyDown}
      />
    </>
  );
}
