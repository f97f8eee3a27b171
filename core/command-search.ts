/** Owns from when on a command is looked for that may have gone out. */
import { type Instant, plusSeconds } from './instant.ts';

/** Seconds. Clocks of two services are compared then, and may differ by this much. */
const clockTolerance = 300;

/** @param sent by our clock, when it may have gone out at the earliest */
export const lookFrom = (sent: Instant): Instant => plusSeconds(sent, -clockTolerance);
