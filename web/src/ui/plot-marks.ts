import type uPlot from 'uplot';
import type { Mark } from './chart-parts.ts';

const NEAR_PX = 6;
const FONT_PX = 11;

export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The mark under the crosshair; those of one place are named together. */
export function markAt(plot: uPlot, marks: readonly Mark[]): Mark | undefined {
  const left = plot.cursor.left ?? -1;
  if (left < 0) return undefined;
  const near = marks.filter(({ x }) => Math.abs(plot.valToPos(x, 'x') - left) <= NEAR_PX);
  const [first] = near;
  return first && { ...first, label: near.map(({ label }) => label).join('\n') };
}

/** Vertical lines with a flag; the words stand there where they have room before the next, and on hovering always. */
export function drawMarks(plot: uPlot, marks: readonly Mark[]): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const placed = marks
    .map((mark) => ({ ...mark, at: plot.valToPos(mark.x, 'x', true) }))
    .filter(({ at }) => at >= bbox.left && at <= bbox.left + bbox.width)
    .sort((a, b) => a.at - b.at);
  ctx.save();
  ctx.font = `${FONT_PX * ratio}px system-ui, sans-serif`;
  for (const [index, { at, label, colour }] of placed.entries()) {
    const next = placed[index + 1]?.at ?? bbox.left + bbox.width;
    ctx.strokeStyle = token(colour ?? '--text-3');
    ctx.fillStyle = token(colour ?? '--text-2');
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(at - 4 * ratio, bbox.top);
    ctx.lineTo(at + 4 * ratio, bbox.top);
    ctx.lineTo(at, bbox.top + 6 * ratio);
    ctx.fill();
    if (ctx.measureText(label).width + 10 * ratio < next - at)
      ctx.fillText(label, at + 6 * ratio, bbox.top + FONT_PX * ratio);
  }
  ctx.restore();
}

export function drawZero(plot: uPlot): void {
  const { min, max } = plot.scales['y'] ?? {};
  if (min == null || max == null || min >= 0 || max <= 0) return;
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(0, 'y', true));
  ctx.save();
  ctx.strokeStyle = token('--text-3');
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.restore();
}
