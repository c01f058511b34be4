import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Invoice, MAX_LINES, makeInvoice, totalOf } from '../../examples/booking/invoice.ts';

const EYE_TEST = { description: 'Eye test, North Street 12', amountCents: 4_500 };
const INVOICE: Invoice = {
  number: '2030-01-07-09:30',
  date: '2030-01-07',
  customer: 'Zoë Müller',
  lines: [
    EYE_TEST,
    { description: 'Glasses repair', amountCents: 123_499 },
    { description: 'Coupon', amountCents: -500 },
  ],
  currency: 'EUR',
};

const make = (change: Partial<Invoice> = {}): Promise<Buffer> => makeInvoice({ ...INVOICE, ...change });

/** The objects of a PDF by their numbers, found as a reader finds them: by the table that the last lines point to. */
function objectsOf(pdf: Buffer): Map<number, string> {
  const text = pdf.toString('latin1');
  const start = Number(/startxref\n(\d+)\n%%EOF\n?$/.exec(text)?.[1]);
  const table = /^xref\n0 (\d+)\n([\d nf\n]+)trailer\n/.exec(text.slice(start));
  const [free, ...entries] = table?.[2]?.trimEnd().split('\n') ?? [];
  expect(free?.trim()).toBe('0000000000 65535 f');
  expect(entries).toHaveLength(Number(table?.[1]) - 1);
  return new Map(
    entries.map((entry, index) => {
      const offset = Number(entry.slice(0, 10));
      const end = text.indexOf('\nendobj', offset);
      expect(text.slice(offset, end)).toMatch(new RegExp(`^${index + 1} 0 obj\n`));
      return [index + 1, text.slice(offset, end)];
    }),
  );
}

/** What the page shows, a line each time something is written. */
function linesOf(pdf: Buffer): string[] {
  const pages = [...objectsOf(pdf).values()].filter((object) => /\/Type \/Page\n/.test(object));
  expect(pages).toHaveLength(1);
  const [, stream = ''] =
    [...objectsOf(pdf).values()].find((object) => object.includes('FlateDecode'))?.split('stream\n') ?? [];
  const content = inflateSync(Buffer.from(stream, 'latin1')).toString('latin1');
  return Array.from(content.matchAll(/\[([^\]]*)\] TJ/g), ([, array = '']) => {
    const hex = Array.from(array.matchAll(/<([0-9a-f]*)>/g), ([, digits]) => digits).join('');
    return Array.from(Buffer.from(hex, 'hex'), toCharacter).join('');
  });
}

/** 0x80 to 0x9f in Windows-1252, which Node's own decoder takes for Latin-1. */
const UPPER_CONTROLS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

function toCharacter(byte: number): string {
  return UPPER_CONTROLS[byte - 0x80] ?? String.fromCharCode(byte);
}

/** Spaces that must not break are spaces to a reader. */
const textOf = (pdf: Buffer): string => linesOf(pdf).join('').replaceAll('\u00a0', ' ');

describe('makeInvoice', () => {
  test('writes a PDF: header, objects where the table says, trailer with the catalog', async () => {
    const pdf = await make();
    expect(pdf.subarray(0, 8).toString('latin1')).toMatch(/^%PDF-1\.\d$/);
    const objects = objectsOf(pdf);
    const root = Number(/\/Root (\d+) 0 R/.exec(pdf.toString('latin1').split('trailer')[1] ?? '')?.[1]);
    expect(objects.get(root)).toContain('/Type /Catalog');
  });

  test('shows number, date, customer, every line and the total', async () => {
    const text = textOf(await make());
    const shown = ['INVOICE', '2030-01-07-09:30', '7 January 2030', 'Zoë Müller', 'Eye test, North Street 12'];
    for (const part of [...shown, 'Glasses repair', 'Coupon', 'EUR 45.00', 'EUR 1,234.99', '-EUR 5.00']) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/EUR 1,274\.99Total/);
  });

  test('has the same bytes whenever it is made', async () => {
    expect((await make()).equals(await make())).toBe(true);
  });

  test('fits one page with as many lines as there may be, all of them long', async () => {
    const long = { description: 'Long '.repeat(2_000), amountCents: 1 };
    const pdf = await make({
      number: '9'.repeat(5_000),
      customer: `${'Maximiliana '.repeat(500)}`,
      lines: Array(MAX_LINES).fill(long),
    });
    expect(linesOf(pdf).filter((line) => /^Long .*…$/.test(line))).toHaveLength(MAX_LINES);
    expect(textOf(pdf)).toContain('EUR 0.15');
    expect(pdf.byteLength).toBeLessThan(10_000);
  });

  test('cuts a long description, never an amount', async () => {
    const text = textOf(
      await make({ lines: [{ description: 'x'.repeat(400), amountCents: -Number.MAX_SAFE_INTEGER }] }),
    );
    expect(text.match(/-EUR 90,071,992,547,409\.91/g)).toHaveLength(2);
    expect(text).toContain('x…');
  });

  test.each([
    ['山田 太郎', '?? ??'],
    ['Łukasz Żółć', 'Lukasz Zólc'],
    ['Dvořák 👨‍👩‍👧 Ünal', 'Dvorák ? Ünal'],
    ['e\u0301 – “quoted” € Ｆｕｌｌ', 'é – “quoted” € Full'],
    ['two\nlines\tand\u0000\u0007more', 'two lines and??more'],
    ['lone \ud83d half', 'lone ? half'],
  ])('writes %j as %j', async (customer, shown) => {
    expect(textOf(await make({ customer }))).toContain(shown);
  });

  test('knows currencies without cents, and with three digits of them', async () => {
    expect(textOf(await make({ currency: 'JPY' }))).toContain('JPY 127,499');
    expect(textOf(await make({ currency: 'KWD' }))).toContain('KWD 127.499');
  });

  test.each([
    ['no lines', { lines: [] }, /1 to 15 lines/],
    ['more lines than fit', { lines: Array(MAX_LINES + 1).fill(EYE_TEST) }, /1 to 15 lines/],
    ['half a cent', { lines: [{ ...EYE_TEST, amountCents: 0.5 }] }, /whole number of cents/],
    ['an amount that is no number', { lines: [{ ...EYE_TEST, amountCents: Number.NaN }] }, /whole number of cents/],
    ['no number', { number: ' ' }, /number/],
    ['no customer', { customer: '' }, /customer/],
    ['a day that there is not', { date: '2030-02-31' }, /YYYY-MM-DD/],
    ['a date in another form', { date: '07/01/2030' }, /YYYY-MM-DD/],
    ['a currency in words', { currency: 'Euro' }, /currency/],
  ])('refuses %s with a TypeError', async (_, change, named) => {
    await expect(make(change)).rejects.toThrow(TypeError);
    await expect(make(change)).rejects.toThrow(named);
  });
});

test('totalOf adds exactly, or refuses', () => {
  expect(totalOf(INVOICE.lines)).toBe(127_499);
  expect(totalOf([{ description: 'Gift', amountCents: 0 }])).toBe(0);
  const most = { description: 'All', amountCents: Number.MAX_SAFE_INTEGER };
  expect(() => totalOf([most, EYE_TEST])).toThrow(TypeError);
});
