/** Flowgate as it is. */
import { serveBooking } from './booking.ts';

await serveBooking();
