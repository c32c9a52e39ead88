// Prints papers with node-thermal-printer. Its character set CHINA writes GBK, but its tables count characters where
// the printer counts columns, so lines with Hanzi get narrower cells or are padded here: what its Chinese users do.
import { createRequire } from 'node:module';
import { ASK, answer, columnsOf, padded, rowLines, rowsOf } from './job.mjs';

const { ThermalPrinter, PrinterTypes, CharacterSet } = createRequire(import.meta.url)('node-thermal-printer');

const excess = (text) => columnsOf(text) - text.length;

const blocks = {
  async text(out, b) {
    if (b.align === 'center') out.alignCenter();
    style(out, b);
    out.println(b.text);
    plain(out, b);
    if (b.align === 'center') out.alignLeft();
  },
  async pair(out, b, job) {
    style(out, b);
    if (excess(b.left + b.right)) out.println(padded(b.left, job.columns - columnsOf(b.right)) + b.right);
    else out.leftRight(b.left, b.right);
    plain(out, b);
  },
  async table(out, b) {
    // It has no frames: lines between the rows, and each column gets the room of an edge.
    const columns = b.columns.map((column) => ({ ...column, width: column.width + (b.frame ? 1 : 0) }));
    for (const row of rowsOf(b)) {
      if (b.frame) out.drawLine();
      for (const cells of excess(row.join('')) ? rowLines(columns, row) : [row]) {
        out.tableCustom(cells.map((text, at) => ({
          text,
          align: columns[at].align.toUpperCase(),
          cols: columns[at].width - excess(text),
        })));
      }
    }
    if (b.frame) out.drawLine();
  },
  rule: async (out, b) => out.drawLine(b.mark),
  logo: async (out, b) => out.printImageBuffer(Buffer.from(b.png, 'base64')),
  qr: async (out, b) => out.printQR(b.data, { cellSize: 4, correction: 'M' }),
  barcode: async (out, b) => out.code128(b.data, { height: 60, width: 2, hriPos: 2 }),
  async feed(out, b) {
    for (let line = 0; line < b.lines; line += 1) out.newLine();
  },
  drawer: async (out) => out.openCashDrawer(),
  ask: async (out) => out.add(ASK),
  cut: async (out, _, job) => (job.seed % 3 ? out.partialCut() : out.cut()),
};

function style(out, b) {
  if (b.bold) out.bold(true);
  if (b.wide && b.tall) out.setTextQuadArea();
  else if (b.tall) out.setTextDoubleHeight();
}

function plain(out, b) {
  if (b.wide || b.tall) out.setTextNormal();
  if (b.bold) out.bold(false);
}

answer(async (job) => {
  const characterSet = job.language === 'zh' ? CharacterSet.CHINA : CharacterSet.PC437_USA;
  const out = new ThermalPrinter({ type: PrinterTypes.EPSON, width: job.columns, characterSet });
  if (job.paper.length === 1 && job.paper[0].block === 'ask') {
    out.setBuffer(out.printer.getStatus()); // what its own getStatus() sends, without a line to wait on
    return out.getBuffer();
  }
  for (const block of job.paper) await blocks[block.block](out, block, job);
  return out.getBuffer();
});
