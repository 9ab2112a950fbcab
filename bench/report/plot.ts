/** A result as a plot: CPU per request relative to the Go rival, on a logarithmic axis. */
import { REFERENCE } from '../contestants.ts';
import { type Result, type Round, ratio } from '../result.ts';

const ROW = 18;
const LEFT = 330;
const WIDTH = 460;
const GAP = 34;
const TOP = 30;
const COLOURS: Readonly<Record<string, string>> = { floor: '#9aa5b1', rival: '#d98a3d', ours: '#2f6fd0' };

export function renderPlot(result: Result): string {
  const cpu = (round: Round): number => round.cpuMsPerRequest;
  const panels = result.workloads
    .map(({ name, title }) => ({
      title: `${name}: ${title}`,
      bars: result.contestants.flatMap(({ name: contestant, title: label, kind }) => {
        const spread = ratio(result, contestant, REFERENCE, name, cpu);
        return spread === undefined ? [] : [{ label, kind, ...spread }];
      }),
    }))
    .filter(({ bars }) => bars.length > 0);
  const all = panels.flatMap(({ bars }) => bars.flatMap(({ min, max }) => [min, max]));
  const low = Math.log(Math.min(0.1, ...all));
  const high = Math.log(Math.max(10, ...all));
  const x = (value: number): number => LEFT + ((Math.log(value) - low) / (high - low)) * WIDTH;

  const parts: string[] = [];
  let y = TOP;
  for (const { title, bars } of panels) {
    parts.push(text(8, y, title, 'font-weight="bold"'));
    y += 8;
    const top = y;
    for (const { label, kind, median, min, max } of bars) {
      const color = COLOURS[kind] ?? '#000';
      const from = Math.min(x(1), x(median));
      parts.push(
        text(LEFT - 8, y + 13, label, 'text-anchor="end"'),
        `<rect x="${from.toFixed(1)}" y="${y + 3}" width="${Math.max(1, Math.abs(x(median) - x(1))).toFixed(1)}" height="${ROW - 6}" fill="${color}"/>`,
        `<line x1="${x(min).toFixed(1)}" x2="${x(max).toFixed(1)}" y1="${y + ROW / 2}" y2="${y + ROW / 2}" stroke="#222"/>`,
        text(LEFT + WIDTH + 8, y + 13, `${Number(median.toPrecision(3))}×`),
      );
      y += ROW;
    }
    for (const tick of [0.1, 0.25, 0.5, 1, 2, 5, 10])
      parts.push(
        `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${top}" y2="${y}" stroke="${tick === 1 ? '#222' : '#ccc'}"/>`,
        text(x(tick), y + 13, String(tick), 'text-anchor="middle" fill="#666"'),
      );
    y += GAP;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 70}" height="${y}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(8, 14, `CPU per request relative to the Go rival (1 = the same, less is better), ${result.date.slice(0, 10)}`),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}
