/** How the fake Graph API says no. */

export class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly subcode: number | undefined;

  constructor(message: string, status: number, code: number, subcode?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.subcode = subcode;
  }
}

export function demand(isMet: boolean, what: string): asserts isMet {
  if (!isMet) throw new Refusal(`(#100) Invalid parameter: ${what}`, 400, 100);
}
