// Prints papers with @point-of-sale/receipt-printer-encoder. It knows no Chinese code page, so a line with Hanzi is
// padded here and goes through its raw() as GBK, after FS & switched the printer to it: what its Chinese users do.
import ImageData from '@canvas/image-data';
import Encoder from '@point-of-sale/receipt-printer-encoder';
import iconv from 'iconv-lite';
import { PNG } from 'pngjs';
import { ASK, answer, columnsOf, foreign, padded, rowLines, rowsOf } from './job.mjs';

const blocks = {
  text(out, b, job) {
    style(out, b);
    const width = b.wide ? job.columns >> 1 : job.columns;
    if (raw(job, b.text)) hanzi(out, b.align === 'center' ? padded(b.text, width, 'center') : b.text);
    else out.align(b.align).line(b.text).align('left');
    plain(out, b);
  },
  pair(out, b, job) {
    style(out, b);
    const right = columnsOf(b.right);
    if (raw(job, b.left + b.right)) hanzi(out, padded(b.left, job.columns - right) + b.right);
    else out.table([{ width: job.columns - right - 1, marginRight: 1 }, { width: right, align: 'right' }], [[b.left, b.right]]);
    plain(out, b);
  },
  table(out, b, job) {
    const rows = rowsOf(b);
    if (rows.length === 0) return;
    const columns = b.columns.map(({ width, align }) => ({ width, align }));
    if (!rows.some((row) => raw(job, row.join('')))) {
      out.table(columns, rows, b.frame ? { border: 'single', rules: 'all' } : undefined);
      return;
    }
    for (const row of rows) {
      for (const cells of rowLines(columns, row)) {
        hanzi(out, cells.map((text, at) => padded(text, columns[at].width, columns[at].align)).join(b.frame ? '|' : ''));
      }
    }
  },
  rule(out, b, job) {
    // In Chinese mode its line-drawing bytes print as 哪哪哪; most give the line themselves, some live with it.
    if (job.language === 'zh' && job.seed % 4) out.line(b.mark.repeat(job.columns));
    else out.rule({ style: b.mark === '=' ? 'double' : 'single' });
  },
  logo(out, b) {
    const { data, width, height } = PNG.sync.read(Buffer.from(b.png, 'base64'));
    out.image(new ImageData(new Uint8ClampedArray(data), width, height), width, height, 'threshold', 128);
  },
  qr: (out, b) => out.qrcode(b.data, { model: 2, size: 4, errorlevel: 'm' }),
  barcode: (out, b) => out.barcode(b.data, 'code128', { height: 60, text: true }),
  feed: (out, b) => out.newline(b.lines),
  drawer: (out) => out.pulse(),
  ask: (out) => out.raw(ASK),
  cut: (out, _, job) => out.cut(job.seed % 3 ? 'partial' : 'full'),
};

const raw = (job, text) => job.language === 'zh' && foreign(text);
const hanzi = (out, text) => out.raw(iconv.encode(text, 'gbk')).newline();
const style = (out, b) => out.bold(b.bold).size(b.wide ? 2 : 1, b.tall ? 2 : 1);
const plain = (out, b) => (b.bold || b.wide || b.tall ? out.size(1, 1).bold(false) : out);

answer((job) => {
  const out = new Encoder({
    language: 'esc-pos',
    columns: job.columns,
    feedBeforeCut: 3,
    imageMode: job.seed % 2 ? 'raster' : 'column',
    newline: job.seed % 3 ? '\n\r' : '\n', // '\n\r' is the library's own
  });
  const [first, ...rest] = job.paper;
  if (first.block === 'ask' && rest.length === 0) return ASK;
  out.initialize().codepage(job.language === 'zh' ? 'cp437' : 'auto');
  if (job.language === 'zh') out.raw([0x1c, 0x26]);
  for (const block of job.paper) if (block !== first || block.block !== 'ask') blocks[block.block](out, block, job);
  return Buffer.concat([first.block === 'ask' ? ASK : Buffer.alloc(0), out.encode()]);
});
