/**
 * The invoice of a booking: one A4 page, drawn with PDFKit.
 *
 * PDF's standard fonts need no font file and write Western European text: other letters lose their accents, and what is
 * left becomes "?". The same invoice always has the same bytes, so a job that runs twice sends the same document.
 */
import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';

export interface InvoiceLine {
  description: string;
  /** In the currency's smallest unit; below zero for a discount. */
  amountCents: number;
}

export interface Invoice {
  number: string;
  /** YYYY-MM-DD. */
  date: string;
  customer: string;
  /** 1 to 15: what fits on the page. */
  lines: InvoiceLine[];
  /** ISO 4217: "EUR". */
  currency: string;
}

export const MAX_LINES = 15;

const SELLER = {
  name: 'Example Opticians',
  address: 'North Street 12, Exampletown',
  note: 'Thank you for your visit.',
};

const LEFT = 56;
const RIGHT = 539; // an A4 page is 595 points wide
const WIDTH = RIGHT - LEFT;
const TABLE_TOP = 290;
const ROW_HEIGHT = 26;
const INK = '#1c2b33';
const FAINT = '#667781';
const RULE = '#d1d7db';
const ACCENT = '#0a7c66';

interface Place {
  top: number;
  left?: number;
  width?: number;
}

interface Style {
  size?: number;
  bold?: boolean;
  color?: string;
  align?: 'left' | 'right';
  lines?: number;
}

/** @throws TypeError when the invoice has no lines or too many, or something in it is not what it should be. */
export async function makeInvoice({ number, date, customer, lines, currency }: Invoice): Promise<Buffer> {
  if (!number.trim() || !customer.trim()) throw new TypeError('an invoice needs a number and a customer');
  const day = parseDate(date);
  const money = moneyFormat(currency);
  const total = totalOf(lines);
  const document = new PDFDocument({
    size: 'A4',
    margin: 0, // everything has its place: nothing may flow to a second page
    info: { Title: `Invoice ${printable(number)}`, Author: SELLER.name, CreationDate: day },
  });
  const bytes = buffer(document);

  document.rect(0, 0, document.page.width, 8).fill(ACCENT);
  write(document, SELLER.name, { top: 56, width: 280 }, { size: 20, bold: true });
  write(document, 'INVOICE', { top: 56 }, { size: 20, bold: true, color: ACCENT, align: 'right' });
  write(document, SELLER.address, { top: 84 }, { color: FAINT });
  drawFact(document, 'Billed to', customer, { top: 150, width: 300 });
  drawFact(document, 'Invoice number', number, { top: 150, left: 380, width: RIGHT - 380 });
  drawFact(document, 'Date', longDate(day), { top: 205, left: 380, width: RIGHT - 380 });

  drawRow(document, TABLE_TOP, 'Description', 'Amount', { bold: true, color: FAINT });
  drawRule(document, TABLE_TOP);
  let top = TABLE_TOP + ROW_HEIGHT;
  for (const { description, amountCents } of lines) {
    drawRow(document, top, description, money(amountCents));
    drawRule(document, top);
    top += ROW_HEIGHT;
  }
  drawRow(document, top + 8, 'Total', money(total), { size: 13, bold: true });

  write(document, SELLER.note, { top: 770 }, { color: FAINT });
  document.end();
  return bytes;
}

/** @throws TypeError when there is nothing to add, or a sum is not exact. */
export function totalOf(lines: readonly InvoiceLine[]): number {
  if (lines.length === 0 || lines.length > MAX_LINES) throw new TypeError(`an invoice has 1 to ${MAX_LINES} lines`);
  const total = lines.reduce((sum, { amountCents }) => sum + amountCents, 0);
  const amounts = [...lines.map(({ amountCents }) => amountCents), total];
  if (!amounts.every(Number.isSafeInteger)) throw new TypeError('an amount must be a whole number of cents');
  return total;
}

/** The description gives way: an amount is never cut. */
function drawRow(document: PDFKit.PDFDocument, top: number, label: string, amount: string, style: Style = {}): void {
  write(document, amount, { top }, { ...style, align: 'right' });
  write(document, label, { top, width: WIDTH - document.widthOfString(amount) - 24 }, style);
}

/** Under the row at `top`. */
function drawRule(document: PDFKit.PDFDocument, top: number): void {
  const y = top + 18;
  document.moveTo(LEFT, y).lineTo(RIGHT, y).stroke(RULE);
}

function drawFact(document: PDFKit.PDFDocument, label: string, value: string, place: Place): void {
  write(document, label, place, { size: 9, color: FAINT });
  write(document, value, { ...place, top: place.top + 13 }, { size: 12, lines: 2 });
}

/** Writes at a place, and ends with "…" what does not fit there. */
function write(
  document: PDFKit.PDFDocument,
  text: string,
  { top, left = LEFT, width = WIDTH }: Place,
  { size = 11, bold = false, color = INK, align = 'left', lines = 1 }: Style = {},
): void {
  document.font(bold ? 'Helvetica-Bold' : 'Helvetica', size).fillColor(color);
  const height = lines * document.currentLineHeight(true);
  document.text(printable(text), left, top, { width, height, align, ellipsis: true });
}

/** No text that long is shown whole: what comes after is not worth measuring. */
const MAX_TEXT_CHARS = 500;
/** Windows-1252, which the standard fonts are written in, without its control characters. */
const WESTERN = /^[ -~\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]+$/;
/** Letters that Unicode does not take apart into a plain one and a mark. */
const PLAIN: Record<string, string> = { Ł: 'L', ł: 'l', Đ: 'D', đ: 'd', ı: 'i' };
const MARKS = /\p{Mark}/gu;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function printable(text: string): string {
  const words = text.slice(0, MAX_TEXT_CHARS).normalize('NFC').replaceAll(/\s+/g, ' ').trim();
  if (WESTERN.test(words)) return words;
  return Array.from(graphemes.segment(words), ({ segment }) => {
    if (WESTERN.test(segment)) return segment;
    const plain = PLAIN[segment] ?? segment.normalize('NFKD').replaceAll(MARKS, '');
    return WESTERN.test(plain) ? plain : '?';
  }).join('');
}

function parseDate(date: string): Date {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(`${date}T`)) {
    throw new TypeError('date must be a day as YYYY-MM-DD');
  }
  return day;
}

function longDate(day: Date): string {
  return day.toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
}

/** @returns what writes 1234567 as "EUR 12,345.67", or as "JPY 1,234,567" where there are no cents. */
function moneyFormat(currency: string): (cents: number) => string {
  if (!/^[A-Z]{3}$/.test(currency)) throw new TypeError('currency must be a code like EUR');
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return (cents) => format.format(`${cents}e-${digits}` as `${number}`); // exact, as a division would not be
}
