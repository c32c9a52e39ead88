// What the three Node generators share: JSON lines in, base64 lines out, and how wide a text is on paper.
import { createInterface } from 'node:readline';

export const ASK = Buffer.from([0x10, 0x04, 0x01]); // DLE EOT 1: the program that prints asks, before the library's bytes

export async function answer(print) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(Buffer.from(await print(JSON.parse(line))).toString('base64') + '\n');
  }
}

const wide = (char) => /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\uffe0-\uffe6×]/u.test(char); // GBK's × is two columns
export const foreign = (text) => /[^\x00-\x7f]/.test(text);
export const columnsOf = (text) => [...text].reduce((sum, char) => sum + (wide(char) ? 2 : 1), 0);

export function padded(text, width, align) {
  const room = ' '.repeat(Math.max(0, width - columnsOf(text)));
  if (align === 'center') return room.slice(0, room.length >> 1) + text;
  return align === 'right' ? room + text : text + room;
}

export function wrapped(text, width) {
  const lines = [''];
  for (const char of text) {
    if (columnsOf(lines.at(-1) + char) > width) lines.push('');
    lines[lines.length - 1] += char;
  }
  return lines;
}

// A row as the lines that it takes: what does not fit its column goes on below.
export function rowLines(columns, row) {
  const parts = row.map((text, at) => wrapped(text, columns[at].width));
  const count = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: count }, (_, line) => parts.map((part) => part[line] ?? ''));
}

export const rowsOf = (table) => (table.heading ? [table.heading, ...table.rows] : table.rows);
