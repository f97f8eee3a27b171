/** Owns the machine's own time, for what must not run on the skipping clock: signatures, timings, archives. */

/** Epoch milliseconds. */
export const systemNow = () => Date.now();

export const systemDate = () => new Date();

/** Milliseconds that never go back, since some moment. */
export const stopwatch = () => performance.now();
