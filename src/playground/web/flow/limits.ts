/** What holds where a component says nothing. */
export const DEFAULTS = { textInputChars: 80, textAreaChars: 600, files: 30, fileKb: 25_600 } as const;

/** Above this a list of choices can be searched. */
export const SEARCHABLE_FROM = 12;
