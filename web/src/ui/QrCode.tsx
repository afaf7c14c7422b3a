import { encode } from 'uqr';

const QUIET_MODULES = 4;

/** Black on white in both themes: readers of such codes expect it. */
export function QrCode({ text, label, size = 168 }: { text: string; label: string; size?: number }) {
  const { data } = encode(text, { border: 0, ecc: 'M' });
  const side = data.length + 2 * QUIET_MODULES;
  const path = data
    .flatMap((row, y) =>
      row.map((dark, x) => (dark ? `M${x + QUIET_MODULES} ${y + QUIET_MODULES}h1v1h-1z` : '')),
    )
    .join('');
  return (
    <svg
      role="img"
      aria-label={label}
      width={size}
      height={size}
      viewBox={`0 0 ${side} ${side}`}
      shapeRendering="crispEdges"
      style={{ borderRadius: 4, maxWidth: '100%' }}
    >
      <rect width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
