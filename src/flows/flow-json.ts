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

type DataOf<Model> = [keyof Model] extends [never]
  ? Record<never, never>
  : ObjectOf<Model, Exclude<keyof Model, TakenByClients>>;

/** Clients take these out of the data before they look whether it fits: `c.error` sends the first. */
type TakenByClients = 'error_message' | 'extension_message_response';

/** @typeParam Needed the properties an object needs where its model does not say. */
type ValueOf<Schema, Needed = never> = Schema extends { readonly type: infer T }
  ? T extends 'string'
    ? string
    : T extends 'number'
      ? number
      : T extends 'boolean'
        ? boolean
        : T extends 'array'
          ? Schema extends { readonly items: infer Items }
            ? readonly ValueOf<Items, 'id' | 'title'>[] // no component shows an item without them
            : readonly ScreenValue[]
          : T extends 'object'
            ? Schema extends { readonly properties: infer Properties }
              ? ObjectOf<Properties, RequiredOf<Schema, Needed>>
              : Record<string, ScreenValue>
            : ScreenValue
  : ScreenValue;

type RequiredOf<Schema, Needed> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : Needed;

type ObjectOf<Properties, Required> = [keyof Properties] extends [never]
  ? Record<string, ScreenValue>
  : Flat<
      { -readonly [K in keyof Properties as K extends Required ? K : never]: ValueOf<Properties[K]> } & {
        -readonly [K in keyof Properties as K extends Required ? never : K]?: ValueOf<Properties[K]>;
      }
    >;

/** One object type instead of an intersection, which nobody can read in a message. */
type Flat<T> = { [K in keyof T]: T[K] };

/** `INIT` and each screen, with the screens that an answer there may show. A screen it does not name may show any. */
export type MoveMap = Record<string, string>;

/** When nothing is known of the moves at compile time: every screen may show every screen. */
export type AnyMoves = Record<string, string>;

/** Moves of a Flow JSON given as a literal; `AnyMoves` where its routes are not known to the compiler. */
export type MovesOf<J extends FlowJson> = J extends { readonly routing_model: infer Routes extends object }
  ? string extends IdOf<J> | keyof Routes | TargetOf<Routes>
    ? AnyMoves
    : { [C in IdOf<J> | 'INIT']: OpenedOn<J, Routes, C> | MoveFrom<J, Routes, C> }
  : AnyMoves;

type IdOf<J extends FlowJson> = J['screens'][number]['id'];

/** The screens without an inbound route; routes in a circle have none, then it is any. */
type OpenedOn<J extends FlowJson, Routes, C> = C extends 'INIT' ? OrAny<Exclude<IdOf<J>, TargetOf<Routes>>, J> : never;

/** What a client lets an answer show: the same screen again, along a route, against one, or where the Flow began. */
type MoveFrom<J extends FlowJson, Routes, C> = C extends IdOf<J> ? C | NextTo<J, Routes, C> : never;

type NextTo<J extends FlowJson, Routes, C> =
  | TargetOf<Pick<Routes, C & keyof Routes>>
  | SourceOf<Routes, C>
  | J['screens'][0]['id']
  | FirstEntryOf<J['screens'], Routes>;

type FirstEntryOf<Screens, Routes> = Screens extends readonly [infer S extends FlowJsonScreen, ...infer Rest]
  ? S['id'] extends TargetOf<Routes>
    ? FirstEntryOf<Rest, Routes>
    : S['id']
  : never;

type OrAny<Id, J extends FlowJson> = [Id] extends [never] ? IdOf<J> : Id;

type TargetOf<Routes> = {
  [K in keyof Routes]: Routes[K] extends readonly (infer T)[] ? Exclude<T & string, K> : never;
}[keyof Routes];

type SourceOf<Routes, Target> = {
  [K in keyof Routes]: Routes[K] extends readonly (infer T)[] ? (Target extends T ? K & string : never) : never;
}[keyof Routes];

/** The screens that an answer on `From` may show. */
export type ScreensFrom<Screens extends ScreenMap, Moves extends MoveMap, From> = From extends keyof Moves
  ? string extends Moves[From]
    ? Screens
    : Pick<Screens, Moves[From] & keyof Screens>
  : Screens;

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
