/** How cost grows, as a plot with two logarithmic axes: a straight line of slope one is linear growth. */

export interface Growth {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly exponent: number;
}

const WIDTH = 420;
const HEIGHT = 300;
const MARGIN = 60;

export function renderGrowth(panels: readonly Growth[]): string {
  const parts = panels.flatMap((panel, index) => renderPanel(panel, MARGIN + index * (WIDTH + MARGIN + 20)));
  const width = panels.length * (WIDTH + MARGIN + 20) + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT + 2 * MARGIN}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function renderPanel({ title, unit, points, exponent }: Growth, left: number): string[] {
  const xs = scale(points.map(({ x }) => x));
  const ys = scale(points.map(({ y }) => y));
  const x = (value: number): number => left + xs(value) * WIDTH;
  const y = (value: number): number => MARGIN + (1 - ys(value)) * HEIGHT;
  const last = points.at(-1) ?? { x: 1, y: 1 };
  const first = points[0] ?? last;
  // What exactly linear growth from the last point backwards would be.
  const linear = `M${x(last.x)},${y(last.y)} L${x(first.x)},${y((last.y * first.x) / last.x)}`;
  return [
    `<clipPath id="c${left}"><rect x="${left}" y="${MARGIN}" width="${WIDTH}" height="${HEIGHT}"/></clipPath>`,
    `<text x="${left}" y="${MARGIN - 24}" font-weight="bold">CPU of ${title}</text>`,
    `<text x="${left}" y="${MARGIN - 8}">exponent ${exponent.toFixed(3)}; the gray line is linear</text>`,
    `<rect x="${left}" y="${MARGIN}" width="${WIDTH}" height="${HEIGHT}" fill="none" stroke="#222"/>`,
    `<path d="${linear}" stroke="#999" clip-path="url(#c${left})"/>`,
    ...points.flatMap((point) => [
      `<circle cx="${x(point.x).toFixed(1)}" cy="${y(point.y).toFixed(1)}" r="4" fill="#2f6fd0"/>`,
      `<text x="${(x(point.x) - 6).toFixed(1)}" y="${(y(point.y) - 6).toFixed(1)}" text-anchor="end" fill="#444">${short(point.y)} ms</text>`,
      `<text x="${x(point.x).toFixed(1)}" y="${MARGIN + HEIGHT + 16}" text-anchor="middle" fill="#444" font-size="9">${label(point.x, unit)}</text>`,
    ]),
  ];
}

/** From values to 0…1 on a logarithmic axis with room on both sides. */
function scale(values: readonly number[]): (value: number) => number {
  const low = Math.log(Math.min(...values)) - 0.7;
  const high = Math.log(Math.max(...values)) + 0.7;
  return (value) => (Math.log(value) - low) / (high - low);
}

function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}

function label(value: number, unit: string): string {
  if (unit !== 'bytes') return value.toLocaleString('en');
  return value < 1024 * 1024 ? `${value / 1024} KB` : `${value / 1024 / 1024} MB`;
}
