import { NativeSelect, type NativeSelectProps } from '@mantine/core';
import type { GrantRight } from '../api/types';
import { useWords } from '../i18n/hooks';

const RIGHTS: GrantRight[] = ['edit', 'comment', 'read'];

interface Props extends Omit<NativeSelectProps, 'value' | 'onChange' | 'data'> {
  value: GrantRight;
  onChange: (right: GrantRight) => void;
}

/** Can edit, Can comment, Can view: always in this order. */
export function RightSelect({ value, onChange, ...rest }: Props) {
  const { t } = useWords();
  return (
    <NativeSelect
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as GrantRight)}
      data={RIGHTS.map((right) => ({ value: right, label: t(`share.${right}`) }))}
      {...rest}
    />
  );
}
