/** Lists with more items than a component takes: a page of them, with an item that leads on and one that leads back. */
import { wholeNumber } from '../checks.ts';

/** Options each takes at most. */
const LIMITS = { Dropdown: 200, RadioButtonsGroup: 20, CheckboxGroup: 20, ChipsSelector: 20, NavigationList: 20 };
const DROPDOWN_WITH_IMAGES = 100;
/** An item of the list between the two that lead on and back. */
const MIN_SIZE = 3;
const MAX_TITLE_CHARS = 30;
const PAGE_ID = /^flowgate\.page\.([1-9]\d{0,8})$/;

export interface PageOptions<Component extends keyof typeof LIMITS = keyof typeof LIMITS> {
  /** From 1. What is out of range shows the nearest page, and what is no number the first. */
  readonly page: number | undefined;
  /** Items on the screen at most, those that lead on and back included: from 3, by default what the component takes. */
  readonly size?: number;
  /** By default a Dropdown. */
  readonly component?: Component;
  /** The title of the item that leads on, up to 30 characters. */
  readonly next?: string;
  /** The title of the item that leads back, up to 30 characters. */
  readonly previous?: string;
}

/** An item that leads to another page. */
export interface PageItem {
  readonly id: string;
  readonly title: string;
}

export interface NavigationPageItem {
  readonly id: string;
  readonly 'main-content': { readonly title: string };
}

/**
 * One page of a list. A list that fits is left as it is.
 *
 * ```ts
 * app.flow('help', { json }).init((c) => c.screen('TOPIC', { topics: paginate(topics, { page: 1, size: 20 }) }))
 *   .on('TOPIC', z.object({ topic: z.string() }), (c, { topic }) => {
 *     const page = pageOf(topic);
 *     if (page) return c.screen('TOPIC', { topics: paginate(topics, { page, size: 20 }) });
 *     return c.screen('ANSWER', answers[topic]);
 *   });
 * ```
 *
 * @param items in an order that stays: what comes in between two pages moves the rest.
 * @throws TypeError for a size the component does not take, a title that is too long, or an item with a page's id.
 */
export function paginate<T extends { readonly id: string }>(
  items: readonly T[],
  options: PageOptions<'NavigationList'> & { readonly component: 'NavigationList' },
): (T | NavigationPageItem)[];
export function paginate<T extends { readonly id: string }>(
  items: readonly T[],
  options: PageOptions<Exclude<keyof typeof LIMITS, 'NavigationList'>>,
): (T | PageItem)[];
export function paginate<T extends { readonly id: string }>(
  items: readonly T[],
  { page: wanted, size: given, component = 'Dropdown', next = 'More', previous = 'Back' }: PageOptions,
): (T | PageItem | NavigationPageItem)[] {
  const limit = limitOf(component, items);
  const size = given ?? limit;
  wholeNumber('size', size, MIN_SIZE, limit);
  checkTitles({ next, previous });
  checkIds(items);
  if (items.length <= size) return [...items];
  const last = pagesOf(items.length, size);
  const page = clamp(wanted, last);
  const shown = items.slice(startOf(page, size), page === last ? undefined : startOf(page + 1, size));
  const link = component === 'NavigationList' ? navigationItem : pageItem;
  const back = page === 1 ? [] : [link(page - 1, previous)];
  const on = page === last ? [] : [link(page + 1, next)];
  return [...back, ...shown, ...on];
}

/** @returns the page that an item added by `paginate` leads to; undefined for every other id. */
export function pageOf(id: unknown): number | undefined {
  const [, page] = (typeof id === 'string' && PAGE_ID.exec(id)) || [];
  return page === undefined ? undefined : Number(page);
}

/** The first page has one item of ours, those between have two, and the last has one again. */
function startOf(page: number, size: number): number {
  return page === 1 ? 0 : size - 1 + (page - 2) * (size - 2);
}

function pagesOf(count: number, size: number): number {
  return 2 + Math.max(0, Math.ceil((count - 2 * (size - 1)) / (size - 2)));
}

function clamp(page: number | undefined, last: number): number {
  return Math.min(Math.max(Math.trunc(page ?? 1) || 1, 1), last);
}

function pageItem(page: number, title: string): PageItem {
  return { id: `flowgate.page.${page}`, title };
}

function navigationItem(page: number, title: string): NavigationPageItem {
  return { id: `flowgate.page.${page}`, 'main-content': { title } };
}

function limitOf(component: keyof typeof LIMITS, items: readonly object[]): number {
  if (!Object.hasOwn(LIMITS, component)) {
    throw new TypeError(`component must be one of ${Object.keys(LIMITS).join(', ')}`);
  }
  const hasImages = component === 'Dropdown' && items.some((item) => 'image' in item);
  return hasImages ? DROPDOWN_WITH_IMAGES : LIMITS[component];
}

function checkTitles(titles: Record<string, string>): void {
  for (const [name, title] of Object.entries(titles)) {
    if (title.trim() === '' || title.length > MAX_TITLE_CHARS) {
      throw new TypeError(`${name} must be a title of 1 to ${MAX_TITLE_CHARS} characters`);
    }
  }
}

/** It would lead to a page instead of being picked. */
function checkIds(items: readonly { readonly id: string }[]): void {
  if (items.some(({ id }) => pageOf(id) !== undefined)) {
    throw new TypeError('an item has an id that begins with flowgate.page: those are for the items that lead on');
  }
}
