/** The user sees an error, or Meta a delivery that failed: a status other than 200, or a 200 of no use to the real client. */
export class PhoneError extends Error {
  override readonly name = 'PhoneError';
  /** What the server answered; 0 when it was not asked. */
  readonly status: number;
  /** What a 427 tells the user. */
  readonly userMessage: string | undefined;

  constructor(message: string, status: number, userMessage?: string) {
    super(message);
    this.status = status;
    this.userMessage = userMessage;
  }
}
