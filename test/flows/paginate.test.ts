import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageOf, paginate } from '../../src/flows/paginate.ts';

const letters = [...'abcdefgh'].map((id) => ({ id, title: id.toUpperCase() }));
const idsOf = (items: readonly { id: string }[]) => items.map(({ id }) => id).join(' ');
const ofLength = (length: number) => Array.from({ length }, (_, i) => ({ id: `${i}`, title: `Item ${i}` }));
const ours = (items: readonly { id: string }[]) => items.filter(({ id }) => pageOf(id) !== undefined);

test('the first page leads on, those between both ways, and the last one back', () => {
  const page = (n: number) => idsOf(paginate(letters, { page: n, size: 4 }));
  expect(page(1)).toBe('a b c flowgate.page.2');
  expect(page(2)).toBe('flowgate.page.1 d e flowgate.page.3');
  expect(page(3)).toBe('flowgate.page.2 f g h');
});

test('a list that fits is left as it is, up to the last item that does', () => {
  expect(paginate([], { page: 1, size: 3 })).toEqual([]);
  expect(paginate(ofLength(3), { page: 7, size: 3 })).toEqual(ofLength(3));
  expect(ours(paginate(ofLength(4), { page: 1, size: 3 }))).toHaveLength(1);
});

test('what is returned is another array: to change it does not change the list', () => {
  const items = ofLength(3);
  paginate(items, { page: 1, size: 3 }).pop();
  expect(items).toHaveLength(3);
});

test.each([
  [undefined, 1],
  [Number.NaN, 1],
  [0, 1],
  [-4, 1],
  [Number.NEGATIVE_INFINITY, 1],
  [1.9, 1],
  [0.5, 1],
  [4, 3],
  [1e21, 3],
  [Number.POSITIVE_INFINITY, 3],
])('page %s of three is page %s', (wanted, shown) => {
  expect(paginate(letters, { page: wanted, size: 4 })).toEqual(paginate(letters, { page: shown, size: 4 }));
});

test('every item appears once, in order, over pages that are full but for the last, and lead to their neighbours', () => {
  fc.assert(
    fc.property(fc.nat(450), fc.integer({ min: 3, max: 200 }), (count, size) => {
      const items = ofLength(count);
      const seen: string[] = [];
      let page: number | undefined = 1;
      while (page !== undefined) {
        const current: number = page;
        const shown = paginate(items, { page: current, size });
        expect(shown.length).toBeLessThanOrEqual(size);
        expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
        const links = ours(shown).map(({ id }) => pageOf(id));
        expect(links[0] === current - 1).toBe(current > 1);
        const isLast = !links.includes(current + 1);
        expect(isLast || shown.length === size).toBe(true);
        const own = shown.filter(({ id }) => pageOf(id) === undefined);
        expect(own.length > 0 || count === 0).toBe(true);
        seen.push(...own.map(({ id }) => id));
        page = links.find((link) => link === current + 1);
      }
      expect(seen).toEqual(items.map(({ id }) => id));
    }),
  );
});

test.each([
  ['Dropdown', 200],
  ['RadioButtonsGroup', 20],
  ['CheckboxGroup', 20],
  ['ChipsSelector', 20],
] as const)('a %s shows %i items at most, and no page may be larger', (component, limit) => {
  expect(paginate(ofLength(500), { page: 1, component })).toHaveLength(limit);
  expect(paginate(ofLength(limit), { page: 1, component })).toEqual(ofLength(limit));
  expect(() => paginate(letters, { page: 1, component, size: limit + 1 })).toThrow(
    `size must be a whole number from 3 to ${limit}`,
  );
});

test('a Dropdown with an image takes 100', () => {
  const items = [...ofLength(150), { id: 'x', title: 'X', image: 'iVBORw0KGgo=' }];
  expect(paginate(items, { page: 1 })).toHaveLength(100);
  expect(() => paginate(items, { page: 1, size: 101 })).toThrow('size must be a whole number from 3 to 100');
});

test('a NavigationList gets items of its own form', () => {
  const items = ofLength(30).map(({ id, title }) => ({ id, 'main-content': { title, description: '' } }));
  const shown = paginate(items, { page: 2, component: 'NavigationList', previous: 'Earlier' });
  expect(shown[0]).toEqual({ id: 'flowgate.page.1', 'main-content': { title: 'Earlier' } });
  expect(shown).toHaveLength(12);
});

test("the titles are the app's to choose, within 30 characters", () => {
  const shown = paginate(letters, { page: 2, size: 4, next: 'Weiter', previous: 'Zurück' });
  expect([shown[0], shown.at(-1)]).toMatchObject([{ title: 'Zurück' }, { title: 'Weiter' }]);
  expect(() => paginate(letters, { page: 1, size: 4, next: 'x'.repeat(30) })).not.toThrow();
  expect(() => paginate(letters, { page: 1, size: 4, next: 'x'.repeat(31) })).toThrow(
    'next must be a title of 1 to 30',
  );
  expect(() => paginate(letters, { page: 1, size: 4, previous: ' ' })).toThrow('previous must be a title of 1 to 30');
});

test.each([2, 0, -1, 3.5, Number.NaN])('refuses the size %s', (size) => {
  expect(() => paginate(letters, { page: 1, size })).toThrow('size must be a whole number from 3 to 200');
});

test('refuses a component that is no list, and an item that could be taken for a page', () => {
  expect(() => paginate(letters, { page: 1, component: 'toString' as never })).toThrow('component must be one of');
  const items = [{ id: 'flowgate.page.2', title: 'Two' }];
  expect(() => paginate(items, { page: 1, size: 3 })).toThrow('an item has an id that begins with flowgate.page');
});

test.each([
  'page.2',
  'flowgate.page.0',
  'flowgate.page.-1',
  'flowgate.page.02',
  'flowgate.page.1.5',
  'flowgate.page.1e9',
  'flowgate.page.9999999999',
  'flowgate.page.2\n',
  ' flowgate.page.2',
  '',
  undefined,
  null,
  2,
  ['flowgate.page.2'],
])('pageOf does not read %j as a page', (id) => {
  expect(pageOf(id)).toBeUndefined();
});
