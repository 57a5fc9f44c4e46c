import { Code } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import { Page, Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';

/** The answer of `levain why` for whatever has this id. */
export default function WhyPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { data, error, refetch } = useGet('GET /why/:id', { params: { id } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows />;
  return (
    <Page title={`Why: ${data.kind} ${data.id}`}>
      <Part title="Because">
        {data.lines.map((line) => (
          <p key={line} style={{ maxWidth: '90ch', overflowWrap: 'anywhere' }}>
            {line}
          </p>
        ))}
      </Part>
      {data.next.length > 0 && (
        <Part title="Next">
          {data.next.map((command) => (
            <Code key={command}>{command}</Code>
          ))}
        </Part>
      )}
    </Page>
  );
}
