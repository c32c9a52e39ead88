// Prints papers with receiptline: each block becomes its markdown, the library places the columns.
import receiptline from 'receiptline';
import { ASK, answer, columnsOf, rowsOf } from './job.mjs';

const escaped = (text) => text.replace(/[\\|{}~_"`^=-]/g, '\\$&').replace(/^ +/, (spaces) => '~'.repeat(spaces.length));
const styled = (text, { bold, wide, tall }) => {
  const size = wide && tall ? '^^^' : tall ? '^^' : wide ? '^' : '';
  return (bold ? '"' : '') + size + escaped(text);
};
const cell = (text, align) => (align === 'right' ? ` ${escaped(text) || '~'}` : `${escaped(text) || '~'} `);

const blocks = {
  text: (b) => (b.align === 'left' ? `|${styled(b.text, b)}` : styled(b.text, b)),
  pair: (b, columns) => {
    const [left, right] = [columnsOf(b.left), columnsOf(b.right)];
    const line = `${styled(b.left, b)} | ${styled(b.right, b)}`;
    return Math.max(left, right) < columns >> 1 ? line : `{width:* ${right + 1}}\n${line}\n{width:auto}`;
  },
  table: (b) => {
    const widths = b.columns.map((column) => column.width).join(' ');
    const rows = rowsOf(b).map((row) => row.map((text, at) => cell(text, b.columns[at].align)).join('|'));
    const lines = b.frame ? rows.join('\n---\n') : rows.join('\n');
    return `{width:${widths}; border:${b.frame ? 'line' : 'none'}}\n${lines}\n{width:auto; border:space}`;
  },
  rule: () => '---',
  logo: (b) => `{image:${b.png}}`,
  qr: (b) => `{code:${b.data}; option:qrcode 4 m}`,
  barcode: (b) => `{code:${b.data}; option:code128 2 60 hri}`,
  feed: (b) => Array(b.lines).fill('|').join('\n'),
  drawer: () => '{command:\\x1bp\\x00\\x19\\xfa}',
  cut: () => null, // the library cuts at a document's end by itself
  ask: () => null,
};

answer((job) => {
  const document = job.paper.map((b) => blocks[b.block](b, job.columns)).filter((line) => line !== null).join('\n');
  const printer = {
    cpl: job.columns,
    encoding: job.language === 'zh' ? 'gb18030' : 'multilingual',
    command: job.seed % 4 === 3 ? 'generic' : 'escpos', // generic is for the printers that are none of Epson's
    spacing: job.seed % 2 === 1,
    gradient: false,
    cutting: job.paper.some((b) => b.block === 'cut'),
  };
  const asked = job.paper[0].block === 'ask' ? ASK : Buffer.alloc(0);
  const printed = document ? Buffer.from(receiptline.transform(document, printer), 'binary') : Buffer.alloc(0);
  return Buffer.concat([asked, printed]);
});
