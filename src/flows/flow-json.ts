/** The parts of a Flow JSON that the endpoint needs, and what the types can learn from it. */

/** What `data` may hold on the way to a screen: `null` is never valid there. */
export type ScreenValue = string | number | boolean | readonly ScreenValue[] | { readonly [key: string]: ScreenValue };

/** Screen names, each with the data that screen takes. */
export type ScreenMap = Record<string, object>;

/** When nothing is known of the screens at compile time: any name, any data. */
export type AnyScreens = Record<string, Record<string, ScreenValue>>;

/** A JSON import fits, and so does a literal `as const`, from which screen names and data types are inferred. */
export interface FlowJson {
  readonly version: string;
  readonly data_api_version?: string;
  readonly routing_model?: { readonly [screen: string]: readonly string[] | undefined };
  readonly screens: readonly FlowJsonScreen[];
}

export interface FlowJsonScreen {
  readonly id: string;
  readonly data?: { readonly [key: string]: object | undefined };
}

/** Screens of a Flow JSON given as a literal; `AnyScreens` where its screen ids are only known as `string`. */
export type ScreensOf<J extends FlowJson> = string extends J['screens'][number]['id']
  ? AnyScreens
  : { [S in J['screens'][number] as S['id']]: DataOf<S['data']> };

type DataOf<Model> = Model extends object ? { -readonly [K in keyof Model]: ValueOf<Model[K]> } : Record<never, never>;

type ValueOf<Schema> = Schema extends { readonly type: infer T }
  ? T extends 'string'
    ? string
    : T extends 'number'
      ? number
      : T extends 'boolean'
        ? boolean
        : T extends 'array'
          ? Schema extends { readonly items: infer Items }
            ? readonly ValueOf<Items>[]
            : readonly ScreenValue[]
          : T extends 'object'
            ? Schema extends { readonly properties: infer Properties }
              ? { -readonly [K in keyof Properties]: ValueOf<Properties[K]> }
              : Record<string, ScreenValue>
            : ScreenValue
  : ScreenValue;

/** The first screen without an inbound route: where INIT goes, and where an error on INIT is shown. */
export function entryScreenOf({ routing_model: routes, screens }: FlowJson): string | undefined {
  if (!routes) return screens[0]?.id;
  const reached = new Set(Object.values(routes).flatMap((targets) => targets ?? []));
  return screens.find(({ id }) => !reached.has(id))?.id;
}

/** @returns undefined when the Flow JSON is not known, so that nobody takes ignorance for "declares nothing". */
export function declaresData(json: FlowJson | undefined, screen: string, key: string): boolean | undefined {
  if (!json) return undefined;
  const model = json.screens.find(({ id }) => id === screen)?.data;
  return model !== undefined && Object.hasOwn(model, key);
}
