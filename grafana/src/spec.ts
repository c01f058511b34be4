/** A dashboard before it becomes Grafana's JSON: rows of panels, each with the question it answers. */

export interface DashboardSpec {
  /** Stable: links and bookmarks name it. Also the name of the file. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowSpec[];
}

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

export interface PanelSpec {
  readonly title: string;
  /** `graph` over time, `stat` one figure, `states` a band that changes its colour. */
  readonly kind: 'graph' | 'stat' | 'states';
  readonly question: string;
  /** What to do about it; with the question it is the panel's description. */
  readonly action: string;
  /** One of Grafana's unit ids. */
  readonly unit: string;
  readonly queries: readonly QuerySpec[];
  readonly limits?: Limits;
  /** What a value is called, and its colour. */
  readonly names?: Readonly<Record<number, { readonly text: string; readonly colour: Colour }>>;
  /** Of 24 columns; by default what is usual for its kind. A line of panels should fill them. */
  readonly width?: number;
  readonly height?: number;
  /** Parts of one whole: drawn on top of each other. */
  readonly isStacked?: boolean;
  /** Shown where there is no series yet. */
  readonly noValue?: string;
}

export interface QuerySpec {
  readonly expr: string;
  readonly legend: string;
}

export type Colour = 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text';

/** The colour from below, and from each value on. */
export interface Limits {
  readonly base: Colour;
  readonly steps: readonly { readonly from: number; readonly colour: Colour }[];
}

/** Worse from each value on: red for one, yellow and red for two, yellow, orange and red for three. */
export function above(...values: readonly number[]): Limits {
  const colours: readonly Colour[] = values.length > 2 ? ['yellow', 'orange', 'red'] : ['yellow', 'red'];
  const scale = colours.slice(-values.length);
  return { base: 'green', steps: values.map((from, i) => ({ from, colour: scale[i] ?? 'red' })) };
}

/** Red below `red`, yellow below `yellow`. */
export function below(red: number, yellow?: number): Limits {
  const green = { from: yellow ?? red, colour: 'green' } as const;
  return { base: 'red', steps: yellow === undefined ? [green] : [{ from: red, colour: 'yellow' }, green] };
}
