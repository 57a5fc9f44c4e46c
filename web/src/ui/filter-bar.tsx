import { Button, Group, Menu, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';

interface FilterBarProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly columns?: readonly { readonly id: string; readonly header: string }[];
  readonly hidden?: readonly string[];
  readonly onHide?: (hidden: readonly string[]) => void;
  readonly children?: React.ReactNode;
}

const TYPING_MS = 120;

/** The one filter bar: words that filter, then what the page adds, then which columns are shown. */
export function FilterBar({
  label,
  value,
  onChange,
  placeholder,
  columns,
  hidden = [],
  onHide,
  children,
}: FilterBarProps) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (next: string): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), TYPING_MS);
  };
  return (
    <Group gap="xs" wrap="wrap">
      <TextInput
        size="xs"
        w={280}
        aria-label={label}
        placeholder={placeholder ?? label}
        value={text}
        onChange={(event) => type(event.currentTarget.value)}
        data-filter
      />
      {children}
      {columns && onHide && (
        <Menu closeOnItemClick={false} position="bottom-end">
          <Menu.Target>
            <Button size="xs" variant="default">
              Columns
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
            {columns.map(({ id, header }) => (
              <Menu.Item
                key={id}
                leftSection={hidden.includes(id) ? '☐' : '☑'}
                onClick={() => onHide(hidden.includes(id) ? hidden.filter((each) => each !== id) : [...hidden, id])}
              >
                {header}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}
