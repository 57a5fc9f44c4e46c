import { Graph as Dagre, layout } from '@dagrejs/dagre';
import { useMantineColorScheme } from '@mantine/core';
import { Background, Handle, type Node, type NodeProps, Position, ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useMemo } from 'react';
import classes from './graph.module.css';
import type { GraphNode, GraphProps } from './graph-parts.ts';
import { Status } from './status.tsx';

const WIDTH = 190;
const HEIGHT = 58;

type BoxNode = Node<{ readonly box: GraphNode; readonly isSelected: boolean }, 'box'>;

function Box({ data: { box, isSelected } }: NodeProps<BoxNode>) {
  return (
    <div className={classes['box']} data-selected={isSelected || undefined}>
      <Handle type="target" position={Position.Left} className={classes['handle']!} />
      <strong>{box.title}</strong>
      {box.health ? (
        <Status health={box.health} word={box.word ?? box.health} />
      ) : (
        <span className="muted">{box.detail}</span>
      )}
      <Handle type="source" position={Position.Right} className={classes['handle']!} />
    </div>
  );
}

const TYPES = { box: Box };

export default function Flow({ label, nodes, edges, selected, onSelect, height = 260 }: GraphProps) {
  const { colorScheme } = useMantineColorScheme();
  const placed = useMemo(() => place(nodes, edges, selected), [nodes, edges, selected]);
  const arrows = useMemo(
    () => edges.map(([source, target]) => ({ id: `${source}>${target}`, source, target })),
    [edges],
  );
  return (
    <section className={classes['graph']} style={{ height }} aria-label={label}>
      <ReactFlow
        nodes={placed}
        edges={arrows}
        nodeTypes={TYPES}
        colorMode={colorScheme === 'auto' ? 'system' : colorScheme}
        fitView
        fitViewOptions={{ maxZoom: 1 }}
        nodesDraggable={false}
        nodesConnectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        onNodeClick={(_, node) => onSelect?.(node.id)}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={24} />
      </ReactFlow>
    </section>
  );
}

function place(nodes: readonly GraphNode[], edges: GraphProps['edges'], selected: string | undefined): BoxNode[] {
  const graph = new Dagre();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 44 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  for (const [from, to] of edges) graph.setEdge(from, to);
  layout(graph);
  return nodes.map((box) => {
    const { x, y } = graph.node(box.id) as { x: number; y: number };
    return {
      id: box.id,
      type: 'box',
      position: { x: x - WIDTH / 2, y: y - HEIGHT / 2 },
      width: WIDTH,
      height: HEIGHT,
      data: { box, isSelected: box.id === selected },
    };
  });
}
